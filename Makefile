# Everything sets itself up: a clean clone needs Python 3.11+, Node 20+, git and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8080
# Three more than cores: tests wait for servers, deadlines and processes of their own. With two more, two cores
# were idle for an eighth of the run. A worker costs six seconds of CPU time, in which it collects the tests.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 3)))
T ?= tests
V := .venv/bin
READY := .venv/.ready
EMULATOR := .venv-rehearse/.ready
CLIENTS := .venv-clients/.ready tests/clients/node_modules/.ready
UNPACKED := .venv-clients/debian
DEBIAN_CLIENTS := syslog-ng-core syslog-ng-mod-http systemd-journal-remote \
  libivykis0 libmicrohttpd12 libnet1 libpcre3 libwrap0
AUDIT_READY := .venv-audit/.ready
UV := env -u UV_INDEX_URL $(V)/uv
COMPILE := $(UV) pip compile --quiet --no-python-downloads --generate-hashes --no-header --no-emit-index-url
FOLDERS := $(patsubst functions/%/requirements.txt,%,$(wildcard functions/*/requirements.txt))
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := -y -o DPkg::Lock::Timeout=300
OPERATE := $(V)/python -m operate $(if $(STAGE),--stage $(STAGE))
DATA_STACK := $(if $(STAGE),AstraLog-$(STAGE)-Data,AstraLogData)
CONTEXT = $(if $(STAGE),-c stage=$(STAGE)) $(CDK)
export CHROMIUM ?= /usr/bin/chromium
NO_CHROMIUM = the tests click through pages in $(CHROMIUM), which is not there and cannot be installed from here: \
  install Chromium, and say where it is with CHROMIUM=…
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20
# Workers and children import the same modules: without bytecode on disk each of them compiles all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up web web-test bench-web web-types screenshots test unit crash soak fairness rehearse rehearse-upgrade clients clients-debian check lint audit fmt hooks bench bench-large bench-memory build synth bootstrap deploy destroy lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(READY) ## the virtual environment with everything pinned in requirements.txt

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed (PYTHON=… names another)"; exit 1; }
	@test -x $(V)/python || $(PYTHON) -m venv .venv
	@echo "setting up .venv (once) …"
	@$(V)/pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement <(awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.txt)
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python $(V)/python --requirement requirements.txt
	@touch $@

$(AUDIT_READY): audit/requirements.txt | setup
	@echo "setting up .venv-audit (once) …"
	@$(UV) venv --quiet --clear --python $(V)/python .venv-audit
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python .venv-audit/bin/python \
	  --requirement audit/requirements.txt
	@touch $@

demo: setup ## the pipeline on real log lines, end to end, in a stack of its own; exits 0 when all is found
	@$(V)/python -m local demo

up: setup $(if $(shell command -v npm),web/dist/index.html) ## the whole service on this machine until Ctrl-C (PORT=8080)
	@PORT=$(PORT) $(V)/python -m local up

web: web/dist/index.html ## the dashboard's files, into web/dist

web/dist/index.html: web/node_modules/.ready $(shell find web/src web/public web/index.html web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
	@npm run build --prefix web --silent -- --logLevel warn

web/node_modules/.ready: web/package-lock.json
	@echo "setting up web/node_modules (once) …"
	@npm ci --prefix web --silent
	@touch $@

$(CHROMIUM):
	@type apt-get $(SUDO) >/dev/null 2>&1 || { echo "$(NO_CHROMIUM)"; exit 1; }
	@echo "installing Chromium (once) …"
	@$(SUDO) apt-get -qq $(APT) update && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get -qq $(APT) install --no-install-recommends chromium >/dev/null && test -x $@ || { echo "$(NO_CHROMIUM)"; exit 1; }

test: setup $(AUDIT_READY) $(CHROMIUM) web-test web ## every test, or those of T=path; three workers more than cores, up to five (WORKERS=0: one by one, for a debugger)
	@$(V)/python -m pytest $(T) -n $(WORKERS) --maxprocesses 5 --no-loadscope-reorder

web-test: web/dist/index.html ## the page's own tests, and its weight
	@npm test --prefix web --silent
	@npm run size --prefix web --silent

unit: setup ## the unit tests only: no stack, no browser, no measured process
	@$(V)/python -m pytest tests/unit -m "not soak and not measured" -n $(WORKERS) --maxprocesses 5 --no-loadscope-reorder

web-types: setup ## the API's types for the dashboard, from the OpenAPI document
	@$(V)/python -m openapi.typescript

screenshots: setup $(CHROMIUM) web ## pictures of every page (light, dark, phone), into docs/screenshots
	@$(V)/python -m tests.browser.screenshots

crash: setup ## the crash matrix in full: sync killed at every step, 2,850 runs (about 6 minutes)
	@$(V)/python -m tests.crash --seeds 15

soak: setup ## the long runs: a hundred kills, 20,000 changed bodies of each decoder, each generated example
	@$(V)/python -m pytest tests -m "soak or hypothesis" --hypothesis-profile full

fairness: setup ## what a hostile tenant costs another: seven attacks on a stack of its own (about 16 minutes)
	@$(V)/python -m tests.fairness

$(EMULATOR): rehearsal/requirements.txt | $(READY)
	@echo "setting up .venv-rehearse (once) …"
	@rm -rf .venv-rehearse && $(PYTHON) -m venv --without-pip .venv-rehearse
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python .venv-rehearse/bin/python --requirement $<
	@touch $@

REHEARSE ?= --as-documented

rehearse: setup web $(EMULATOR) ## deploy the real templates to an emulator of AWS and try every promise (docs/rehearsal.md)
	@$(V)/python -m rehearsal $(REHEARSE)

rehearse-upgrade: setup web $(EMULATOR) ## upgrade an earlier version with data in it, under load, then remove it (FROM=commit)
	@$(V)/python -m rehearsal upgrade $(if $(FROM),--from $(FROM))

clients: setup $(CLIENTS) ## real log clients, unmodified, against a stack of their own (installs them once)
	@$(V)/python -m pytest tests/clients -m clients

.venv-clients/.ready: tests/clients/requirements.txt | $(READY)
	@echo "setting up .venv-clients (once) …"
	@$(UV) venv --quiet --allow-existing --python $(V)/python .venv-clients
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python .venv-clients/bin/python --requirement tests/clients/requirements.txt
	@touch $@

tests/clients/node_modules/.ready: tests/clients/package-lock.json
	@echo "setting up tests/clients/node_modules (once) …"
	@npm ci --prefix tests/clients --ignore-scripts --silent
	@touch $@

clients-debian: ## unpack syslog-ng and systemd-journal-upload for `make clients`, without installing them (Debian)
	@rm -rf $(UNPACKED) && mkdir -p $(UNPACKED)/packages
	@cd $(UNPACKED)/packages && apt-get -qq download $(DEBIAN_CLIENTS) && for each in *.deb; do dpkg -x "$$each" ..; done

check: lint audit test ## what CI runs: lint, types, layering, audit, tests

lint: setup web/node_modules/.ready ## ruff, mypy strict, import-linter, names and words; TypeScript and Prettier
	@$(V)/ruff check .
	@$(V)/ruff format --check .
	@$(V)/mypy
	@$(V)/lint-imports
	@$(V)/python -m tests.language
	@npm run lint --prefix web --silent

audit: setup web $(AUDIT_READY) ## cdk-nag, checkov, cfn-lint, licences, hashes; build/*.cdx.json (JSON=--json)
	@$(V)/python -m audit $(JSON)

fmt: setup web/node_modules/.ready ## format the code and fix what ruff can fix
	@$(V)/ruff check --fix --quiet .
	@$(V)/ruff format --quiet .
	@npm run format --prefix web --silent

hooks: setup ## check formatting, imports and the commit subject at each commit (needs `pre-commit`)
	@pre-commit install --hook-type pre-commit --hook-type commit-msg

bench: setup ## the bars of docs/performance.md, as ratios, into bench/results.json, the page and its chart
	@$(V)/python -m bench --report
	@$(V)/python -m bench.report

bench-large: setup ## the searches of docs/performance.md on 11.55 million events, into bench/results-large.json and the page
	@$(V)/python -m bench --large --report
	@$(V)/python -m bench.report

bench-memory: setup ## what each size of memory costs a function, into bench/memory.json and docs/performance.md
	@$(V)/python -m bench.memory
	@$(V)/python -m bench.report

bench-web: setup web $(CHROMIUM) ## how fast the search page is: first lines, and scrolling through 100,000
	@$(V)/python -m tests.browser.bench_search

build: setup web ## the functions' zips (arm64), without Docker; the dashboard's needs Node.js
	@$(V)/python -m infra.build
	@$(V)/python -m audit.sbom >/dev/null

synth: setup web ## the CloudFormation templates, offline, into cdk.out
	@$(V)/python -m infra.app && ls cdk.out/*.template.json

node_modules/.ready: package-lock.json
	@npm ci && touch $@

bootstrap: build node_modules/.ready ## prepare the AWS account and region for CDK, once
	@npx cdk bootstrap $(CONTEXT)

deploy: build node_modules/.ready ## deploy to the AWS account of your credentials (STAGE=name, CDK="-c name=value …")
	@case "$$($(OPERATE) is-deployed)" in \
	  yes) ;; \
	  no) npx cdk deploy $(DATA_STACK) $(CONTEXT) -c deletion_protection=false ;; \
	  *) exit 1 ;; esac
	@npx cdk deploy --all $(CONTEXT)

destroy: setup ## delete both stacks of the installation (STAGE=name); data is retained
	@$(OPERATE) destroy $(YES)

lock: setup ## pin again what pyproject.toml asks for, with hashes; versions stay where they can
	@for folder in $(FOLDERS); do \
	  $(COMPILE) pyproject.toml --extra $$folder --python-version 3.13 \
	    --python-platform aarch64-manylinux_2_28 -o functions/$$folder/requirements.txt || exit; done
	@$(COMPILE) pyproject.toml --all-extras --group local --group infra --group dev \
	  --universal --python-version 3.11 -o requirements.txt
	@$(COMPILE) pyproject.toml --group rehearse --universal --python-version 3.11 -o rehearsal/requirements.txt
	@$(COMPILE) pyproject.toml --group clients --universal --python-version 3.11 -o tests/clients/requirements.txt
	@$(COMPILE) pyproject.toml --group audit --universal --python-version 3.11 -o audit/requirements.txt

clean: ## delete everything that was built, kept or installed here
	@rm -rf .venv .venv-audit .venv-rehearse .venv-clients .local build cdk.out node_modules tests/clients/node_modules web/node_modules web/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
