#!/usr/bin/env bash
# Installs what the contract and browser suites run against, when it is missing (Debian, root).
set -euo pipefail
want=()
command -v chromium >/dev/null || want+=(chromium fonts-noto-core)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want+=(postgresql)
[ ${#want[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "missing: ${want[*]}; run as root: apt-get install -y --no-install-recommends ${want[*]}" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${want[@]}" >/dev/null
