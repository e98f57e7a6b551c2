# Each target does all of its own set-up in $(VENV); nothing else has to be typed on a fresh checkout.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 6
FUZZ_SECONDS ?= 120
UV ?= uv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable

# Tests start hundreds of commands: what these import is compiled once, whatever the environment says
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo check quick test lint coverage fuzz audit man dist pyz sbom lock bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/ready  ## the program at work, on a server of its own
	$(BIN)/fetcher demo || [ $$? -eq 1 ]

check: lint quick  ## what every change is tried with: lint and the quick tests

quick: $(VENV)/test  ## the tests but for the slow kinds
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

test: $(VENV)/test  ## all tests
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/test  ## flake8, ruff's rules on security, and mypy: strict for fetcher/, lenient for tests/
	$(BIN)/flake8 fetcher tests bench docs examples release
	$(BIN)/ruff check --quiet fetcher bench docs examples release
	$(BIN)/mypy

coverage: $(VENV)/test  ## which lines the quick tests run, commands and processes included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) --dist worksteal -m "not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: $(VENV)/test  ## every reader of what the network says, FUZZ_SECONDS long
	FETCHER_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest --timeout 0 tests/fuzz

audit: $(VENV)/audit  ## known vulnerabilities of the dependencies; asks the network
	$(BIN)/pip-audit --skip-editable

man: $(VENV)/ready  ## make the manual page anew, after a change of an option
	$(BIN)/python -m docs.manual

dist: $(VENV)/test  ## the wheel and the sdist, the same bytes each time; twine and check-wheel-contents look at them
	$(BIN)/python -m release.dist
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/check-wheel-contents dist/*.whl

pyz: $(VENV)/test  ## one file that runs with the Python that made it: dist/fetcher.pyz; asks the network
	mkdir -p dist
	$(BIN)/shiv --quiet --reproducible --compressed -c fetcher -p '/usr/bin/env python3' -o dist/fetcher.pyz .

sbom: $(VENV)/test  ## what an installation brings, with licences: dist/sbom.json
	mkdir -p dist
	$(BIN)/python -m release.sbom robots requests parquet warc html cluster cloud >dist/sbom.json

lock:  ## write requirements.lock anew, with the newest versions; needs uv, asks the network
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --extra test --extra lint --output-file requirements.lock setup.cfg

bench: $(VENV)/bench  ## beside curl, wget2, aria2 and aiohttp; needs nginx
	$(BIN)/python -m bench

clean:  ## remove what the other targets made
	rm -rf .venv .venvs build dist *.egg-info .mypy_cache .pytest_cache .hypothesis .coverage .coverage.*

$(VENV)/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/test: $(VENV)/ready
	$(INSTALL) '.[test,lint]'
	touch $@

$(VENV)/audit: $(VENV)/test
	$(INSTALL) '.[audit]'
	touch $@

$(VENV)/bench: $(VENV)/ready
	$(INSTALL) '.[bench]'
	touch $@
