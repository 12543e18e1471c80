PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test lint test-extras bench clean

demo: .venv/installed
	@$(BIN)/attnc demo

test: .venv/installed
	@$(BIN)/python -m pytest -n auto

lint: .venv/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed
	@$(BIN)/python benchmarks/circle.py
	@$(BIN)/python benchmarks/runtime.py
	@$(BIN)/python benchmarks/universal.py
	@$(BIN)/python benchmarks/targets.py 100000
	@$(BIN)/python benchmarks/execution_forms.py

test-extras: .venv-extras/installed
	@.venv-extras/bin/python -m pytest tests/extras

.venv/installed: pyproject.toml constraints.txt
	@echo "Setting up .venv (once; about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test --editable .
	@touch $@

.venv/installed-lint: .venv/installed
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --group lint
	@touch $@

.venv-extras/installed: pyproject.toml constraints.txt
	@echo "Setting up .venv-extras (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv-extras
	@.venv-extras/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@.venv-extras/bin/python -m pip install --quiet --constraint constraints.txt --group test "torch==2.13.0" "scikit-learn==1.9.1" "distributed==2026.8.0" --editable .
	@touch $@

clean:
	rm -rf .venv .venv-extras build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
