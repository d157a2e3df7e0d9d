# Every target makes .venv when it is missing, then does its one job. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# Tests of a screen mostly wait for it.
WORKERS = $$($(BIN)/python -c "import os; print(2 * (os.cpu_count() or 1))")

.PHONY: help demo test check bench screenshots format clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable .
	@touch $@

demo: .venv/ready  ## watch three agents work, on a registry of its own
	@$(BIN)/collab-tui demo

test: .venv/ready  ## run every test
	PYTHONWARNDEFAULTENCODING=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests

check: .venv/ready  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready  ## measure against references in the same run, print ratios
	$(BIN)/python -m tests.benchmarks

screenshots: .venv/ready  ## draw the pictures of the README from sample_state
	$(BIN)/python -m tests.screenshots

format: .venv/ready  ## format and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what the targets made
	rm -rf .venv build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
