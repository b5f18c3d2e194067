"""All benches, one after the other: `python -m bench [--quick] [NAME...]`. Exit 1 when a "must" is missed."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

BENCHES = ("hooks", "lookup", "sockets", "ring", "large", "logged")
"""Those that compare with a peer and have a "must"; `lanes.py` needs a database's URL and is run by itself."""


def main() -> int:
    """Each in a process of its own, so that none warms or burdens the next."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="each in under half a minute; the figures are rougher")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    missed = []
    for name in options.names or BENCHES:
        started = time.monotonic()
        command = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *(["--quick"] if options.quick else [])]
        print(f"\n{name}", flush=True)
        if subprocess.run(command, check=False).returncode:
            missed.append(name)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    if missed:
        print(f"failed or missed a must: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
