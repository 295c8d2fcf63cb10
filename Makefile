# The few verbs of daily work. Every one of them sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
AWS_VENV := .venv-ministack
AWS_STAMP := $(AWS_VENV)/.ready
CHART_VENV := .venv-chart
CHART_STAMP := $(CHART_VENV)/.ready
AUDIT_VENV := .venv-audit
AUDIT_STAMP := $(AUDIT_VENV)/.ready
INFRA_VENV := .venv-lint-infra
INFRA_STAMP := $(INFRA_VENV)/.ready
PRISM := tests/contract/prism
PRISM_STAMP := $(PRISM)/node_modules/.ready
PROVIDER := tests/integration/sign_in/provider
PROVIDER_STAMP := $(PROVIDER)/node_modules/.ready
PACKAGES := zixly_core webhook_bridge zixly_dagster zixly_sandbox zixly_cli

.PHONY: help setup demo up test prism check scan scan-infra audit sbom dashboards format bench lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.lock requirements/bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=... to one")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock requirements/bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(AWS_STAMP): requirements/ministack.lock $(STAMP)
	test -x $(AWS_VENV)/bin/python || $(PYTHON) -m venv $(AWS_VENV)
	$(BIN)/uv pip sync --quiet --python $(AWS_VENV)/bin/python --require-hashes requirements/ministack.lock
	touch $@

$(CHART_STAMP): requirements/chart.lock $(STAMP)
	test -x $(CHART_VENV)/bin/python || $(PYTHON) -m venv $(CHART_VENV)
	$(BIN)/uv pip sync --quiet --python $(CHART_VENV)/bin/python --require-hashes requirements/chart.lock
	touch $@

$(AUDIT_STAMP): requirements/audit.lock $(STAMP)
	test -x $(AUDIT_VENV)/bin/python || $(PYTHON) -m venv $(AUDIT_VENV)
	$(BIN)/uv pip sync --quiet --python $(AUDIT_VENV)/bin/python --require-hashes requirements/audit.lock
	touch $@

$(INFRA_STAMP): requirements/lint-infra.lock $(STAMP)
	test -x $(INFRA_VENV)/bin/python || $(PYTHON) -m venv $(INFRA_VENV)
	$(BIN)/uv pip sync --quiet --python $(INFRA_VENV)/bin/python --require-hashes requirements/lint-infra.lock
	touch $@

setup: $(STAMP) ## Create the environment from the lock

demo: $(STAMP) ## Start the embedded stack, push one signed delivery of each system through, show what happened, stop
	@$(BIN)/zixly demo

up: $(STAMP) ## Start the embedded stack and keep it up (Ctrl-C stops it)
	@exec $(BIN)/zixly up

ifdef FULL
test: export ZIXLY_FULL := 1
endif
test: $(STAMP) $(AWS_STAMP) $(CHART_STAMP) ## Run every test: unit, contract and integration side by side, then the whole stack (FULL=1: every repetition)
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/unit tests/contract tests/integration tests/security
	$(BIN)/python -m pytest tests/acceptance --ignore=tests/acceptance/compose

.PHONY: test-compose
test-compose: $(STAMP) ## Bring docker-compose.yml up without Docker and use it (root, Debian's packages of decision 0042, `make provider`)
	$(BIN)/python -m pytest -v tests/acceptance/compose

.PHONY: attack
attack: $(STAMP) ## Attack it as a stranger would: a bridge in production, then the whole stack behind nginx (both are part of test)
	$(BIN)/python -m pytest -v tests/security/penetration tests/acceptance/security

.PHONY: provider
provider: $(PROVIDER_STAMP) ## Install the OpenID Connect provider at which the tests sign in (needs npm)

$(PROVIDER_STAMP): $(PROVIDER)/package-lock.json
	cd $(PROVIDER) && npm ci --silent
	touch $@

prism: $(PRISM_STAMP) ## Install the proxy that holds clients and sandbox against the official descriptions (needs npm)

$(PRISM_STAMP): $(PRISM)/package-lock.json
	cd $(PRISM) && npm ci --silent
	touch $@

check: $(STAMP) ## Lint, format, types, import rules, and that no secret is committed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.tracked_secrets

scan: $(AUDIT_STAMP) ## Look through the code for what is known to be unsafe (bandit; beside ruff's rules in check)
	$(AUDIT_VENV)/bin/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive $(PACKAGES)

scan-infra: $(INFRA_STAMP) ## Look through what deploys it, without a network: Terraform (checkov), images (hadolint), workflows (zizmor), forms (check-jsonschema)
	$(INFRA_VENV)/bin/checkov --config-file .checkov.yaml
	$(INFRA_VENV)/bin/hadolint --config .hadolint.yaml Dockerfile
	$(INFRA_VENV)/bin/zizmor --offline --quiet .github
	$(INFRA_VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(INFRA_VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(INFRA_VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.renovate renovate.json
	$(INFRA_VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

audit: $(AUDIT_STAMP) ## Ask for known weaknesses of the locked packages (needs the internet: the list is not shipped)
	$(AUDIT_VENV)/bin/pip-audit --disable-pip --require-hashes --requirement requirements/app.lock

sbom: $(AUDIT_STAMP) ## Write build/sbom.cdx.json: what is in it, with hashes; the same bytes for the same lock
	mkdir -p build
	$(AUDIT_VENV)/bin/python -W ignore -m cyclonedx_py requirements requirements/app.lock --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.cdx.json

dashboards: $(STAMP) ## Write Grafana's dashboards anew from the code in grafana/
	$(BIN)/python -m grafana.generate

format: $(STAMP) ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## Measure, beside the baselines (QUICK=1 for a short form, FULL=1 with a flood of ten minutes)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(FULL),--full)

.PHONY: chaos
chaos: $(STAMP) ## Break everything while deliveries come in, then count (SEED=, MINUTES=, DELIVERIES=; REPORT=1 writes docs/reliability)
	@$(BIN)/python -m chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),5) --deliveries $(or $(DELIVERIES),10000) $(if $(REPORT),--report)

.PHONY: long-haul
long-haul: $(STAMP) ## Twice the steady load with nothing broken, and whether anything grows (MINUTES=, 60; REPORT=1 writes docs/reliability)
	@$(BIN)/python -m chaos.long_haul --seed $(or $(SEED),1) --minutes $(or $(MINUTES),60) $(if $(REPORT),--report)

lock: $(STAMP) ## Resolve the dependencies anew
	cd requirements && for name in bootstrap ministack chart audit lint-infra; do ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade $$name.in -o $$name.lock; done
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra embedded --extra tracing --generate-hashes --no-emit-index-url --no-header -c requirements/dev.lock --upgrade pyproject.toml -o requirements/app.lock

clean: ## Remove environments and caches (keeps .zixly)
	rm -rf $(VENV) $(AWS_VENV) $(CHART_VENV) $(AUDIT_VENV) $(INFRA_VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
