# `make up` starts a lab on this machine, `make test` proves it. Nothing but Python >= 3.11 is needed for `make up`.
PYTHON ?= python3
RUN = .venv/bin/python

.PHONY: up down test check fmt build bench goldens conformance

up: ## build what is missing, start the lab, stay in the foreground
	@$(PYTHON) podlab/ops/build.py
	@exec $(RUN) -m podlab.ops.supervisor up

down: ## stop the lab of this PODLAB_DATA
	@$(PYTHON) podlab/ops/build.py --only-environment
	@$(RUN) -m podlab.ops.supervisor down

build: ## environment, schema and front end
	@$(PYTHON) podlab/ops/build.py

test: ## install what the tests need, run everything, end with a table
	@$(PYTHON) podlab/ops/build.py --dev
	@$(RUN) tests/run.py

check: ## ruff, mypy, layers, JavaScript unit tests
	@$(PYTHON) podlab/ops/build.py --dev
	@$(RUN) tests/run.py check

fmt: ## format Python
	@$(PYTHON) podlab/ops/build.py --dev
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: ## measure; figures go to docs/benchmarks.md
	@$(PYTHON) podlab/ops/build.py --dev
	@$(RUN) -m bench

goldens: ## run recordings of a real Kubernetes: make goldens GOLDENS=folder
	@$(PYTHON) podlab/ops/build.py --dev
	@$(RUN) tests/goldens.py "$(GOLDENS)" $(PARTS)

conformance: ## run Kubernetes' own conformance tests: make conformance E2E=e2e.test [FOCUS=regular expression] [JOBS=4]
	@$(PYTHON) podlab/ops/build.py --dev
	@$(RUN) tests/conformance.py "$(E2E)" --focus "$(or $(FOCUS),.)" --jobs $(or $(JOBS),4) --details
