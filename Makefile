# The two commands of the README, and the checks one by one.
# PYTHON names the interpreter (3.11 or newer) that the virtual environment is made with.

VENV ?= .venv
BIN := $(VENV)/bin
WORKSPACE ?= demo-workspace
PORT ?= 5006
ROUNDS ?= 30
SEED ?= 0

# Python keeps what it has compiled, though the machine's environment may say otherwise: the tests start
# hundreds of processes, each of which would compile PyTorch and Panel anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test coverage attack lint types layers lint-scripts types-scripts check collected pytest scripts docs \
	oldest screenshots sheets walk clean

help:
	@echo "make demo    serve a demonstration survey on http://127.0.0.1:$(PORT)"
	@echo "make test    all checks and tests, Chromium included"
	@echo "make attack  the attack suite, ROUNDS=30 times the cases of make test, from SEED=0 on"
	@echo "make check   lint, types and layers only, of the browser's scripts too"
	@echo "make walk    every page of WORKSPACE=$(WORKSPACE) with an open log and an open console"
	@echo "make scripts  bundle the browser's scripts anew, after a change to one"
	@echo "make coverage  branch coverage of lensing_core"
	@echo "make docs      the documentation as a site, in build/docs"
	@echo "make screenshots   the guides' pictures anew, from the demonstration"
	@echo "make sheets    every page in all widths and both themes, as contact sheets to look at"

demo: $(VENV)/.ready
	$(BIN)/lens-triage demo $(WORKSPACE) --port $(PORT)

test: check pytest

# One beside the other: mypy takes a core, the rest another.
check: $(VENV)/.ready-dev node_modules/.ready
	@$(MAKE) --no-print-directory -j2 --output-sync=target types collected lint layers types-scripts lint-scripts

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

layers: $(VENV)/.ready-dev
	$(BIN)/lint-imports

# Every test can be imported. What this compiles, the processes of the tests find compiled.
collected: $(VENV)/.ready-dev
	@listed=$$($(BIN)/pytest --collect-only -qq 2>&1) || { echo "$$listed" | tail -n 60; exit 1; }

pytest: $(VENV)/.ready-dev node_modules/.ready
	LENS_TRIAGE_CHROMIUM="$$(tools/find-chromium.sh $(BIN)/python)" OMP_NUM_THREADS=1 \
	$(BIN)/pytest -n logical --maxprocesses 4 --dist worksteal $(PYTEST_ARGS)

# ESLint and tsc (by the JSDoc types) on the browser's scripts.
lint-scripts: node_modules/.ready
	PATH="$(abspath $(BIN)):$$PATH" npm run --silent lint

types-scripts: node_modules/.ready
	PATH="$(abspath $(BIN)):$$PATH" npm run --silent types

# Opens every page of WORKSPACE with an open log and an open console; ends with 1 where one has a fault.
walk: $(VENV)/.ready-dev
	$(BIN)/python tools/walk.py $(WORKSPACE) --chromium "$$(tools/find-chromium.sh $(BIN)/python)" \
	--pictures build/walk $(WALK_ARGS)

# The bundles of the browser's scripts, from the modules in app; node comes with the dev extra.
scripts: node_modules/.ready
	PATH="$(abspath $(BIN)):$$PATH" npm run --silent build

node_modules/.ready: package-lock.json $(VENV)/.ready-dev
	PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	touch $@

# The documentation as a site in build/docs; a warning is an error.
docs: $(VENV)/.ready-dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

# Branch coverage of the engine by its own tests; docs/developing/tests.md has the figure.
coverage: $(VENV)/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/lensing_core -n logical --maxprocesses 4 --dist worksteal \
	--cov --cov-report=term:skip-covered $(PYTEST_ARGS)

# The attack suite at length; its last lines are the table of SECURITY.md.
attack: $(VENV)/.ready-dev
	LENS_TRIAGE_ATTACK_ROUNDS=$(ROUNDS) LENS_TRIAGE_ATTACK_SEED=$(SEED) OMP_NUM_THREADS=1 \
	$(BIN)/pytest tests/attack --timeout 7200 $(PYTEST_ARGS)

# The quick tests on the lower bounds of pyproject.toml, in an environment of their own.
oldest: $(VENV)/.ready-dev
	tools/test-oldest.sh $(BIN)/python

# The pictures of the guides, from a copy of the demonstration; look at each before it is committed.
screenshots: $(VENV)/.ready-dev
	$(BIN)/python tools/screenshots.py $(WORKSPACE) \
	--chromium "$$(tools/find-chromium.sh $(BIN)/python)"

# Every page of the demonstration in six widths and both themes, to look at; ends with 1 where axe-core finds a fault.
sheets: $(VENV)/.ready-dev node_modules/.ready
	$(BIN)/python tools/page_sheets.py $(WORKSPACE) \
	--chromium "$$(tools/find-chromium.sh $(BIN)/python)" --out build/sheets $(SHEETS_ARGS)

$(VENV)/.ready: pyproject.toml tools/make-environment.sh
	tools/make-environment.sh $(VENV) .
	touch $@

$(VENV)/.ready-dev: pyproject.toml tools/make-environment.sh
	tools/make-environment.sh $(VENV) ".[dev]"
	touch $@ $(VENV)/.ready

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache artifacts
