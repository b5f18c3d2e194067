# make demo   a running sandbox with the widget installed; prints one URL
# make test   everything that is checked; installs the real parts it needs
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PY := .venv/bin/python
JOBS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types structure unit contract browser widget parts clean

demo: .venv/ready widget
	$(PY) -m server sandbox

test: lint types structure unit contract browser

.venv/ready: pyproject.toml constraints.txt
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

widget: .venv/ready
	$(PY) build.py

# the real parts of the tests: Chromium with Cyrillic fonts, PostgreSQL
parts: .venv/ready
	./tests/parts.sh

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/ready
	.venv/bin/mypy

structure: .venv/ready
	$(PY) -m pytest tests/house

unit: .venv/ready widget
	$(PY) -m pytest -n $(JOBS) tests/unit

contract: .venv/ready widget parts
	$(PY) -m pytest -n $(JOBS) tests/contract

browser: .venv/ready widget parts
	$(PY) -m pytest -n $(JOBS) tests/browser

clean:
	rm -rf .venv node_modules dist
