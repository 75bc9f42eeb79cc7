# Everything that people and CI run. Targets that check never write; targets that write say so.
# `make help` lists them; each installs whatever it needs on a fresh machine.

UV_TOOLS := .tools
UV       := $(UV_TOOLS)/bin/uv
VENV     := .venv
PY       := $(VENV)/bin/python
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(UV): requirements/uv.txt
	@test -x $(UV_TOOLS)/bin/pip || python3 -m venv $(UV_TOOLS)
	@$(UV_TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.synced: $(UV) requirements/dev.txt pyproject.toml
	@test -x $(PY) || $(UV) venv --quiet --python python3 $(VENV)
	@$(UV) pip sync --quiet --python $(PY) --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: venv
venv: $(VENV)/.synced ## make or refresh .venv from the hash-pinned requirements

.PHONY: lock
lock: $(UV) ## write requirements/*.txt anew from pyproject.toml
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml -o requirements/run.txt
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml --group dev -o requirements/dev.txt
	$(UV) pip compile --universal --generate-hashes --no-header --quiet pyproject.toml --group dev --group bench -o requirements/bench.txt
