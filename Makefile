# Each command says what it does in the "## " behind its name; `make help` prints them.

PYTHON ?= python3
PORT ?= 8000
AWS_PORT ?= 4566
SPEED ?= 1
TESTS ?= tests
WORKERS ?= 2
STAGE ?= prod

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --quiet --disable-pip-version-check install --no-compile

# For what only looks at the code: clients are made, nothing is called.
NO_AWS := AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none

.PHONY: help run test check conformance token mail reset demo rebuild dead open-data keys forwarding webhooks package deploy ops destroy audit cost city bench bench-clocks bench-geo bench-photos bench-open311 bench-open-data bench-gaming lint openapi workflow lock

help: ## this list
	@awk -F ' ## |:' '/^[a-z0-9-]+:.* ## / { \
	  printf "make %-16s %s\n", $$1, substr($$0, index($$0, " ## ") + 4) }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/run.stamp ## the whole system on this machine (http://127.0.0.1:8000); Ctrl-C stops it
	@$(PY) -m infra.local run --port $(PORT) --aws-port $(AWS_PORT) --speed $(SPEED) $(if $(ORIGIN),--origin '$(ORIGIN)')

# What is long says so by a marker, `long` (pyproject.toml).
TEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal --durations 5

test: lint ## style, types, layers and all tests but the long ones [TESTS=path] [WORKERS=2]
	$(TEST) -m 'not long' $(TESTS)

check: $(VENV)/test.stamp ## the long tests, which a release needs on top of `make test`
	@PYTHON='$(PYTHON)' bash tests/conformance/install.sh
	$(TEST) -m long $(TESTS)

conformance: $(VENV)/test.stamp ## of the long tests, clients that others wrote, and that generators make, against the running product
	@PYTHON='$(PYTHON)' bash tests/conformance/install.sh
	$(PY) -m pytest tests/conformance

lint: $(VENV)/test.stamp ## style, types and layers only
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	PYTHONPATH=. $(VENV)/bin/lint-imports

token: $(VENV)/run.stamp ## a token: ROLE=officer DISTRICT=31.71.01 [UNIT=...], or CITIZEN=siti
	@$(PY) -m infra.local token $(if $(CITIZEN),--citizen '$(CITIZEN)',--role '$(ROLE)') \
	  $(if $(DISTRICT),--district '$(DISTRICT)') $(if $(UNIT),--unit '$(UNIT)')

mail: $(VENV)/run.stamp ## the e-mail and SMS that would have been sent [TO=address] [WAIT=seconds]
	@$(PY) -m infra.local mail $(if $(TO),--to '$(TO)') $(if $(WAIT),--wait '$(WAIT)')

reset: $(VENV)/run.stamp ## delete what the local system keeps
	@$(PY) -m infra.local reset

demo: $(VENV)/run.stamp ## a flood of reports through the API with a compressed clock [DEMO=--twice]
	@$(PY) -m infra.demo --keep .local/demo $(DEMO)

rebuild: $(VENV)/run.stamp ## recompute every tally from the timeline and say what differed
	@$(PY) -m infra.local with infra.ops rebuild

dead: $(VENV)/run.stamp ## what could not be processed
	@$(PY) -m infra.local with infra.ops dead

open-data: $(VENV)/run.stamp ## write the files of open data now
	@$(PY) -m infra.local with infra.ops open-data

keys: $(VENV)/run.stamp ## Open311 clients: DO='issue NAME', DO=list or DO='revoke ID'
	@$(PY) -m infra.local with infra.ops keys $(DO)

forwarding: $(VENV)/run.stamp ## units with an Open311 server of their own: DO=list or DO='key UNIT'
	@$(PY) -m infra.local with infra.ops forwarding $(DO)

webhooks: $(VENV)/run.stamp ## systems that are sent public events: DO=list or DO='ping HOOK'
	@$(PY) -m infra.local with infra.ops webhooks $(DO)

package: $(VENV)/test.stamp ## templates and zips in build/, with sizes and cold starts [STAGE=prod]
	@$(PY) -m infra.deploy package --stage $(STAGE)

deploy: $(VENV)/run.stamp ## STAGE=prod VALUES="AllowOrigin=... AlarmEmail=... MailFrom=...": see docs/deploy.md
	@$(PY) -m infra.deploy deploy --stage $(STAGE) $(VALUES)

ops: $(VENV)/run.stamp ## a command on a deployed stage: STAGE=prod DO='infra.ops dead'
	@$(PY) -m infra.deploy with --stage $(STAGE) $(DO)

destroy: $(VENV)/run.stamp ## delete a deployed application; what holds data stays [STAGE=prod]
	@$(PY) -m infra.deploy destroy --stage $(STAGE)

audit: $(VENV)/test.stamp $(VENV)-audit/stamp ## cfn-lint, checkov, bandit, detect-secrets, pip-audit
	@$(NO_AWS) $(PY) -m infra.deploy package --stage prod --unmeasured
	@bash infra/audit.sh

cost: $(VENV)/run.stamp ## what a month costs, for three cities [CPU=--cpu: measure CPU again first]
	@$(PY) -m infra.cost $(CPU)

city: $(VENV)/run.stamp ## load a jurisdiction into the local system: DIR=path [BOUNDARIES=path]
	@$(PY) -m infra.city load '$(DIR)' $(if $(BOUNDARIES),--boundaries '$(BOUNDARIES)')

bench: $(VENV)/run.stamp ## what requests and cold starts cost, as ratios
	@$(PY) -m bench

bench-clocks: $(VENV)/run.stamp ## what the SLA clock and the monthly close cost [REPORTS=5000]
	@$(PY) -m bench.clocks $(if $(REPORTS),--reports $(REPORTS))

bench-open-data: $(VENV)/run.stamp ## what writing open data costs
	@$(PY) -m bench.open_data

bench-open311: $(VENV)/run.stamp ## what the lists of Open311 cost
	@$(PY) -m bench.open311

bench-photos: $(VENV)/run.stamp ## what making pictures costs
	@$(PY) -m bench.photos

bench-gaming: $(VENV)/run.stamp ## what tricks gain a district in the scorecards [GAMING='--seeds 4 --sizes 60']
	@$(PY) -m bench.gaming $(GAMING)

bench-geo: $(VENV)/bench.stamp ## the map beside dynamodbgeo and PostGIS [N=small]
	@$(PY) -m bench.geo $(N)

openapi: $(VENV)/run.stamp ## write docs/openapi.json and the schemas of a city folder
	@$(NO_AWS) $(PY) -m infra.docs.openapi
	@$(PY) -m infra.city.schemas

workflow: $(VENV)/run.stamp ## write docs/workflow.md from the rules that are enforced
	@$(NO_AWS) $(PY) -m infra.docs.workflow

lock: $(VENV)-lock/stamp $(VENV)/run.stamp ## write requirements*.lock: what ships, with digests [UPGRADE=--upgrade]
	@$(PY) -m infra.deploy.lock --uv $(VENV)-lock/bin/uv $(UPGRADE)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Tanggap needs Python 3.11 or newer; name one with PYTHON=...'; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt requirements-photos.txt requirements-local.txt | $(VENV)/bin/python
	@echo 'installing what running needs into $(VENV)'
	@$(PIP) -r requirements.txt -r requirements-photos.txt -r requirements-local.txt
	@touch $@

$(VENV)-audit/stamp: requirements-audit.txt
	@echo 'installing what auditing needs into $(VENV)-audit'
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-compile -r $<
	@touch $@

$(VENV)-lock/stamp: requirements-lock.txt
	@echo 'installing what locking needs into $(VENV)-lock'
	@$(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-compile -r $<
	@touch $@

$(VENV)/bench.stamp: requirements-bench.txt $(VENV)/run.stamp
	@echo 'installing what the peers of the bench need into $(VENV)'
	@$(PIP) -r requirements.txt -r requirements-photos.txt -r requirements-local.txt -r requirements-bench.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo 'installing what checking needs into $(VENV)'
	@$(PIP) -r requirements.txt -r requirements-photos.txt -r requirements-local.txt -r requirements-dev.txt
	@command -v exiftool >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { \
	  apt-get -qq update && apt-get -qq install -y --no-install-recommends libimage-exiftool-perl; \
	  } >/dev/null; } || echo 'the tests of photos need exiftool (Debian: libimage-exiftool-perl)'
	@touch $@
