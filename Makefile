# Each target does all of its own set-up in .venv; nothing else has to be typed on a fresh checkout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench clean

demo: .venv/ready
	$(BIN)/fetcher demo || [ $$? -eq 1 ]

test: .venv/test
	$(BIN)/python -m pytest -n 4

lint: .venv/test
	$(BIN)/flake8 fetcher tests bench docs
	$(BIN)/mypy

bench: .venv/bench
	$(BIN)/python -m bench

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .hypothesis

.venv/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable . --config-settings editable_mode=compat
	touch $@

.venv/test: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]' --config-settings editable_mode=compat
	touch $@

.venv/bench: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]' --config-settings editable_mode=compat
	touch $@
