# Everything runs in .venv, which is made here from the locked requirements: nothing else has to be installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
# Most tests wait for other processes, so there may be more of them than cores.
JOBS ?= 5
# Tests write all the time, and none of them cuts the power: with their folders in memory they wait for no disk.
TEMPORARY := $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'END { print ($$4 > 4000000) }')" = 1 ] && \
	[ -w /dev/shm ] && echo /dev/shm || echo "$${TMPDIR:-/tmp}")
# The tests start hundreds of processes: with bytecode that is not kept each of them would compile all of Dateline anew.
PYTEST = TMPDIR=$(TEMPORARY) PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-long run lint lock bench bench-quick soak

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Show the whole way in a minute: events become feeds and signed pushes
	@$(BIN)/dateline demo

test: $(READY) ## Run the tests, JOBS of them at once
	$(PYTEST) -m "not long"

test-long: $(READY) ## Run the tests that need long by their nature: harm of every kind, thousands of everything
	$(PYTEST) -m long

run: $(READY) ## Run the example newsroom until Ctrl-C
	@$(BIN)/dateline up --config config/dateline.toml

lint: $(READY) ## Check style, names, types and the dependency rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/style.py

bench: $(BENCH_READY) ## Measure everything beside its peers, most rows five times, in an hour; writes bench/RESULTS.md
	@$(BIN)/python -m bench

bench-quick: $(BENCH_READY) ## The same with less work, in six minutes; writes nothing
	@$(BIN)/python -m bench --quick

soak: $(BENCH_READY) ## Work steadily for an hour (DURATION=5m) and see that nothing grows: memory, descriptors, p99
	@DURATION=$${DURATION:-1h} $(BIN)/python -m bench.soak

lock: $(READY) ## Lock the dependencies of pyproject.toml anew
	$(BIN)/pip install --quiet uv
	$(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra embedded --group dev --group build --constraints requirements.lock \
		--output-file requirements-dev.lock
	$(COMPILE) --group pyproject.toml:bench --constraints requirements-dev.lock --output-file bench/requirements.lock

# The environment, made anew when what it is made of has changed. The stamp is written last, so half an environment is
# none.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Dateline needs Python 3.11 or newer. If it has another name here: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) can't make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH_READY): $(READY) bench/requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	@touch $@
