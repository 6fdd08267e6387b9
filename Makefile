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
.PHONY: help demo test lowest audit check format lint types generate lock bench soak docs clean

help:  ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.stamp-demo  ## Export 100,000 accounts of an emulated ZeyOS to a file (ROWS=… for more or fewer)
	@mkdir -p demo
	$(BIN)/zeyos-async export accounts --emulate --rows accounts=$(ROWS) -o demo/accounts.jsonl
	@head -c 300 demo/accounts.jsonl; echo " …"

test: .venv/.stamp-dev  ## Run all tests
	$(BIN)/python -m pytest -m "not slow" --hypothesis-profile ci $(XDIST)

lowest: .venv-lowest/.stamp  ## Run the unit tests and the contract with the lowest versions that pyproject.toml permits
	.venv-lowest/bin/python -m pytest tests/unit tests/contract -m "not slow and not property" $(XDIST)

audit: .venv/.stamp-dev  ## Ask whether what is installed has known vulnerabilities, where the network allows it
	$(BIN)/python .ci/audit.py

check: lint types .venv/.stamp-dev  ## All of lint and types, who imports whom, drift of generated code
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_naming.py
	$(BIN)/python -m codegen --check

lint: .venv/.stamp-dev  ## Lint, and whether the code is formatted
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.stamp-dev  ## Check the types, by mypy and by basedpyright
	$(BIN)/mypy
	$(BIN)/basedpyright

format: .venv/.stamp-dev  ## Format the code, and mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

generate: .venv/.stamp-dev  ## Write the generated modules anew
	$(BIN)/python -m codegen

lock: .venv/.stamp-dev  ## Write down the versions of what is installed for work on the library
	$(BIN)/python -m pip freeze --exclude-editable > .ci/constraints.txt

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
	rm -rf .venv .venv-lowest build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One environment. A stamp says what is in it, and is old when pyproject.toml is newer.

.venv/.stamp-demo: WHAT := --editable '.[cli]'
.venv/.stamp-dev: WHAT := --constraint .ci/constraints.txt --editable '.[all]' --group dev
.venv/.stamp-bench: WHAT := --editable '.[cli,speed]' --group bench
.venv/.stamp-%: pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed; $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(PIP) 'pip>=25.1'  # older ones know no --group
	@echo "Installing zeyos-async into .venv: $(WHAT) …"
	@$(PIP) $(WHAT)
	@touch $@

.venv-lowest/.stamp: pyproject.toml .ci/lowest.py
	$(PYTHON) -m venv --clear .venv-lowest
	@.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --no-input 'pip>=25.1'
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
	  --constraint .venv-lowest/constraints.txt --editable '.[all]' --group test
	@touch $@
