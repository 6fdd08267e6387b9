# Needs python3 (3.11 or newer) and make; everything else goes into .venv.

PYTHON ?= python3
ROWS ?= 100000
ROUNDS ?= 10
WORKERS ?= auto
# A file's tests stay together: they share what is dear to set up.
XDIST := -n $(WORKERS) --maxprocesses 8 --dist loadfile

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo test check generate bench soak docs clean

help:  ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.stamp-demo  ## Export 100,000 accounts of an emulated ZeyOS to a file (ROWS=… for more or fewer)
	@mkdir -p demo
	$(BIN)/zeyos-async export accounts --emulate --rows accounts=$(ROWS) -o demo/accounts.jsonl
	@head -c 300 demo/accounts.jsonl; echo " …"

test: .venv/.stamp-dev  ## Run all tests
	$(BIN)/python -m pytest -m "not slow" --hypothesis-profile ci $(XDIST)

check: .venv/.stamp-dev  ## Lint, formatting, types, who imports whom, drift of generated code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/python -m pytest tests/test_architecture.py
	$(BIN)/python -m codegen --check

generate: .venv/.stamp-dev  ## Write the generated modules anew
	$(BIN)/python -m codegen

bench: .venv/.stamp-bench  ## Measure speed and memory
	$(BIN)/python -m benchmarks

soak: .venv/.stamp-dev  ## Run the long schedules, and the properties on many more inputs (ROUNDS=… of them)
	$(BIN)/python -m pytest -m "slow or property" --hypothesis-profile soak $(XDIST)
	@for seed in $$(seq $(ROUNDS)); do \
	  echo "round $$seed"; \
	  $(BIN)/python -m pytest -m property --hypothesis-profile soak --hypothesis-seed $$seed $(XDIST) || exit; \
	done

docs: .venv/.stamp-dev  ## Run every example of README.md and docs/, and check their links
	$(BIN)/python -m pytest tests/test_docs.py

clean:  ## Remove the environment and everything that was made
	rm -rf .venv build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One environment. A stamp says which extras are in it, and is old when pyproject.toml is newer.

.venv/.stamp-demo: EXTRA := cli
.venv/.stamp-dev: EXTRA := dev
.venv/.stamp-bench: EXTRA := bench
.venv/.stamp-%: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed; $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "Installing zeyos-async[$(EXTRA)] into .venv …"
	@$(PIP) --editable '.[$(EXTRA)]'
	@touch $@
