# `make demo` and `make test` do all the set-up on a fresh machine with git, make and Python >= 3.11.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test check format bench clean

help:            ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "hsrdiff needs Python 3.11 or newer, found " + sys.version.split()[0] + ": set PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $(READY)

setup: $(READY)  ## make .venv and install everything from constraints.txt

demo: $(READY)   ## sharpen AVIRIS Indian Pines (real data, nothing to download), about a minute
	$(BIN)/hsrdiff demo --out demo-output

test: $(READY)   ## run the tests
	$(BIN)/python -m pytest

check: $(READY)  ## format, lint and type check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## rewrite the files as `make check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## speed and memory, as ratios within one run
	$(BIN)/python -m benchmarks

clean:           ## remove the environment and everything generated
	rm -rf $(VENV) build dist demo-output
