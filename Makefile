# SPDX-License-Identifier: MPL-2.0
# What a person, the README and .ci/run use. Every target installs what it needs into .venv first.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
DEV_EXTRAS := embedded,telemetry,test,dev,site

# program:package (Debian, Ubuntu) pairs the server or its tests need beside Python packages;
# a program that is there already is not installed.
SYSTEM_PROGRAMS := chromium:chromium curl:curl espeak-ng:espeak-ng ffmpeg:ffmpeg jq:jq
# libraries the embedded mongod is linked with
SYSTEM_LIBRARIES := libcurl.so.4:libcurl4

.DEFAULT_GOAL := help
.PHONY: help install run test lint check bench trials docs site swagger-ui clean system-packages

# pip's own account of minutes of work is either nothing or a thousand lines: here a word a package. $(1) are the extras;
# what went wrong is told in pip's words.
define pip_install
@PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --editable '.[$(1)]' \
	>$(VENV)/install.log 2>&1 & pip=$$!; trap 'kill $$pip; exit 130' INT TERM; told=0; over=; \
while test -z "$$over"; do sleep 0.3; kill -0 $$pip 2>/dev/null || over=yes; \
	lines=$$(($$(wc -l <$(VENV)/install.log))); \
	test $$lines -eq $$told || sed -n "$$((told + 1)),$${lines}p" $(VENV)/install.log | sed -n \
		-e 's/^Collecting \([A-Za-z0-9_.-]*\).*/\1/p' -e 's/^Processing .*\/\([A-Za-z0-9_.]*\)-.*/\1/p' \
		-e 's/^Installing collected packages.*/… unpacking them …/p' \
		| tr '\n' ' '; told=$$lines; \
done; echo; wait $$pip || { cat $(VENV)/install.log >&2; exit 1; }
endef

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "\033[36m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp is older than setup.cfg when the dependencies may have changed.
$(VENV)/installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing the server into $(VENV): 400 MB, half a minute to two …"
	$(call pip_install,embedded)
	@touch $@

$(VENV)/installed-dev: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing the server and what its development needs into $(VENV): 900 MB, one to three minutes …"
	$(call pip_install,$(DEV_EXTRAS))
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
	@$(BIN)/crossbar openapi --pages docs/endpoints

# The files of Swagger UI that /docs shows lie in the repository as Swagger publishes them, with their license.
SWAGGER_FOLDER := crossbar/pages/files/swagger-ui
SWAGGER_UI ?= $(shell cat $(SWAGGER_FOLDER)/VERSION)
SWAGGER_FILES := swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css LICENSE NOTICE

swagger-ui: ## Fetch the files of Swagger UI from npm again, or another release (SWAGGER_UI=5.36.0)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& (cd "$$folder" && tar xzf "$$(npm pack --silent swagger-ui-dist@$(SWAGGER_UI))") \
		&& sed -i '/sourceMappingURL=/d' "$$folder/package/swagger-ui.css" \
		&& (cd "$$folder/package" && cp $(SWAGGER_FILES) "$(CURDIR)/$(SWAGGER_FOLDER)/") \
		&& echo $(SWAGGER_UI) >$(SWAGGER_FOLDER)/VERSION

site: $(VENV)/installed-dev ## Make a site of the documents, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "build/site/index.html"

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
