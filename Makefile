# Everything that people and CI run. Targets that check never write; targets that write say so.
# `make help` lists them; each installs whatever it needs on a fresh machine.

SHELL    := /bin/bash
UV_TOOLS := .tools
UV       := $(UV_TOOLS)/bin/uv
VENV     := .venv
BIN      := $(VENV)/bin
PY       := $(BIN)/python
BENCH    := .venv-bench
TIMED    := scripts/timed
CODE     := src tests benchmarks scripts
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# --- a data centre on this machine

.PHONY: up
up: venv system ## raise the data centre and a first business cluster, wait until it is Ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/up

.PHONY: down
down: venv ## remove all that `make up` raised; only the cache stays
	@$(BIN)/homeostat down

# --- tests and checks

JOBS ?= $(shell nproc)

.PHONY: test
test: venv system binaries ## all checks and tests; real parts where root and Linux allow, the rest is named
	@$(TIMED) "static checks" $(MAKE) --no-print-directory check
	@failed=0; \
	$(TIMED) "repo, unit and contract" $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder tests/repo tests/unit tests/contract || failed=1; \
	$(TIMED) "simulation" $(BIN)/pytest tests/sim || failed=1; \
	$(TIMED) "real hosts" $(BIN)/pytest tests/real || failed=1; \
	exit $$failed

.PHONY: test-unit
test-unit: venv ## the tests that need nothing but Python, in less than a minute
	@$(BIN)/pytest tests/unit tests/repo

.PHONY: check
check: venv ## lint, format, types, layers, age of generated files
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check --quiet $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(PY) -m scripts.generate_docs --check

.PHONY: format
format: venv ## write the code's format and the fixes that the linter is sure of
	@$(BIN)/ruff check --fix --quiet $(CODE) || true
	@$(BIN)/ruff format --quiet $(CODE)

.PHONY: soak
soak: venv system binaries ## tests that take long: large counts, repeated faults
	@$(BIN)/pytest -m soak

SEEDS ?= 1
ONLY  ?=
.PHONY: simulate
simulate: venv ## kill simulated operators at every moment, fail at every write, live through chance, with SEEDS=N seeds each; ONLY=WORDS narrows it
	@HOMEOSTAT_SEEDS=$(SEEDS) $(BIN)/pytest tests/sim -k "$(ONLY)"

.PHONY: conformance
conformance: venv binaries ## judge the simulated API server by Kubernetes' own end-to-end suite; builds the suite once
	@$(PY) -m scripts.conformance

.PHONY: bench
bench: venv binaries $(BENCH)/.synced ## measure client and runtime beside their peers, write docs/reference/benchmarks.md
	@$(PY) -m benchmarks

.PHONY: docs
docs: venv ## write CRDs and reference pages anew from the code, check links
	@$(PY) -m scripts.generate_docs
	@$(BIN)/pytest tests/repo/test_docs.py

# --- what the targets above need

.PHONY: venv
venv: $(VENV)/.synced ## make or refresh .venv from the hash-pinned requirements

.PHONY: system
system:
	@$(TIMED) "system packages" scripts/system-packages base engine alerts

.PHONY: binaries
binaries: venv ## fetch or build the pinned Kubernetes, etcd and CoreDNS binaries into the cache
	@$(TIMED) "binaries" $(PY) -m homeostat.local.binaries
	@$(TIMED) "helm" $(PY) -m homeostat.local.binaries helm >/dev/null

$(UV): requirements/uv.txt
	@scripts/system-packages base
	@test -x $(UV_TOOLS)/bin/pip || python3 -m venv $(UV_TOOLS)
	@$(UV_TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.synced: $(UV) requirements/dev.txt pyproject.toml
	@test -x $(PY) || $(UV) venv --quiet --python python3 $(VENV)
	@$(UV) pip sync --quiet --python $(PY) --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH)/.synced: $(UV) requirements/bench.txt
	@test -x $(BENCH)/bin/python || $(UV) venv --quiet --python python3 $(BENCH)
	@$(UV) pip sync --quiet --python $(BENCH)/bin/python --require-hashes requirements/bench.txt
	@touch $@

.PHONY: lock
lock: $(UV) ## write requirements/*.txt anew from pyproject.toml
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml -o requirements/run.txt
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml --group dev -o requirements/dev.txt
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml --group dev --group bench -o requirements/bench.txt

.PHONY: clean
clean: ## remove what the targets wrote into this directory; caches and data centres elsewhere stay
	rm -rf $(VENV) $(BENCH) $(UV_TOOLS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
