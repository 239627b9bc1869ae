# What a person, the README and .ci/run use. Every target installs what it needs into .venv first.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# program:package (Debian, Ubuntu) pairs the server or its tests need beside Python packages;
# a program that is there already is not installed.
SYSTEM_PROGRAMS := chromium:chromium curl:curl espeak-ng:espeak-ng ffmpeg:ffmpeg jq:jq
# libraries the embedded mongod is linked with
SYSTEM_LIBRARIES := libcurl.so.4:libcurl4

.DEFAULT_GOAL := help
.PHONY: help install run test lint check bench trials docs clean system-packages

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "\033[36m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp is older than setup.cfg when the dependencies may have changed.
$(VENV)/installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[embedded]'
	@touch $@

$(VENV)/installed-dev: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), with what development needs …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[embedded,test,dev]'
	@touch $@ $(VENV)/installed

install: $(VENV)/installed ## Install the server into .venv

run: $(VENV)/installed ## Serve on port 8000 with data in ./var; the first start shows the log-in (ARGS="--bind 0.0.0.0")
	@exec $(BIN)/crossbar serve --data var --create-admin $(ARGS)

test: $(VENV)/installed-dev ## Run all tests (ARGS="tests/test_config.py")
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/installed-dev ## Check form, style, types and the direction of imports
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

check: lint ## Lint, then test with branch coverage
	@$(BIN)/python -m pytest -n auto --cov --cov-report=term-missing:skip-covered $(ARGS)

bench: $(VENV)/installed-dev ## Measure (see benchmarks/)
	@$(BIN)/python -m benchmarks $(ARGS)
	@$(BIN)/python -m benchmarks.history

trials: $(VENV)/installed-dev ## Attack and kill the server for an hour; the figures belong into docs/reliability.md
	@$(BIN)/python -m trials all $(ARGS)

docs: $(VENV)/installed ## Make the pages that follow from declarations
	@$(BIN)/crossbar config --example >config.example.ini
	@$(BIN)/crossbar config --manual >docs/configuration.md

system-packages: ## Install what is missing of the operating system's packages (root on Debian or Ubuntu)
	@missing=; \
	for pair in $(SYSTEM_PROGRAMS); do command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair#*:}"; done; \
	for pair in $(SYSTEM_LIBRARIES); do ldconfig -p | grep -q $${pair%%:*} || missing="$$missing $${pair#*:}"; done; \
	test -z "$$missing" && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $$missing; \
	else echo "Missing packages:$$missing. Install them as root."; fi

clean: ## Remove everything that was made here, except the data in ./var
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
