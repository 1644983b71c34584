# Two commands do everything on a machine with Python >= 3.10, make, git and (where no installer of pulumi can be
# reached) Go: `make demo` shows the package at work, `make test` proves it. `make help` lists what is typed every day,
# from the lines with two #; CONTRIBUTING.md has the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
POLICY := .venv-policy/.ready
NOX := $(BIN)/nox --session
COMPILE := $(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate pyproject.toml

.PHONY: demo help test test-fast test-faults check format lock clean engine fuzz odd-files mutations test-versions dist release docs engine-env pictures reference bench

demo: $(READY)  ## The package at work on the real engine: 1 min
	@$(BIN)/python tools/demo.py

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "Needed: Python >= 3.10, make, git. Whichever is first sets up .venv (2 min); demo, test and bench"
	@echo "find, install or build the engine (4 min with Go, once). All other targets: CONTRIBUTING.md."

test: check engine $(POLICY)  ## Everything, with make check and the coverage; what CI runs: 15 min
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='codat_zoho/declare/rules.py,codat_zoho/declare/settings.py,codat_zoho/core/observe.py,codat_zoho/core/plan.py'

test-fast: $(READY)  ## What needs no engine and is quick: 1 min
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not engine and not slow" --ignore-glob='*_matrix.py'

# Every fault at every call of every operation, and every kill at every call of a real run: minutes, not seconds. `make
# test` collects a fixed sample of both.
test-faults: $(READY) engine
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --matrix tests/faults

# The same inputs as in `make test`, a hundred times as many.
fuzz: $(READY)
	FUZZ_EXAMPLES=6000 $(BIN)/python -m pytest tests/test_fuzz.py -n auto

# Odd project and stack files, read by review and by the engine: minutes, not seconds. ODD_FILES says how many, and
# ODD_FILES_SEED, which a failure prints, makes the same again.
odd-files: $(READY) engine
	ODD_FILES=$(or $(ODD_FILES),5000) $(BIN)/python -m pytest tests/test_odd_files.py -k "read_the_same or once" -s

# Removes the safeguards one by one: the tests have to notice each. About ten minutes.
mutations: $(READY)
	$(BIN)/python tools/mutations.py

# The oldest and the newest releases of what the package needs, and httpx2, each in an environment of its own.
test-versions: engine
	@$(NOX) floor below newest httpx2

# The wheel and the sdist in dist/, checked, and the wheel tested in an environment that knows no checkout.
dist: $(READY)
	@$(NOX) dist

# What a release would do. Uploads nothing.
release: $(READY)
	@$(NOX) release

check: $(READY)  ## Format, lint, types, imports, the audit, what is generated: 20 s
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	$(BIN)/python tools/audit.py
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/pictures.py --check

format: $(READY)  ## Formats the code, and mends what the linter can: 1 s
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

engine: $(READY)
	@$(BIN)/python tools/engine.py

# eval "$(make -s engine-env)" lets a shell find pulumi and codat-zoho.
engine-env:
	@$(MAKE) -s $(READY) >&2
	@$(BIN)/python tools/engine.py env

# The folder of the sources is the repository's root, so that links between files work here as they do in a forge.
docs: $(READY)  ## The site, in build/docs; with chromium its pictures too: 10 s
	@$(BIN)/python tools/screenshots.py
	$(BIN)/python -m sphinx -q -W --keep-going -n -c docs -d build/doctrees . build/docs
	@echo "Open build/docs/docs/index.html"

# What a run draws: the terminal, the report, and the boxes and arrows. `make test` says which of them is stale.
pictures: $(READY) engine
	$(BIN)/python tools/terminal_svg.py > /dev/null
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/pictures.py

reference: $(READY)  ## docs/reference and the pictures of boxes, from the code: 2 s
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/pictures.py

# Everything from one locked file, checked against its hashes.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python >= 3.10 is needed; name one: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The policy pack needs another protobuf than pulumi's newest release, so it has an environment of its own.
$(POLICY): requirements/policy.txt
	@echo "Setting up .venv-policy ..."
	@$(PYTHON) -m venv --clear .venv-policy
	@.venv-policy/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/policy.txt
	@touch $@

# What the package costs beside a floor; QUICK=1 for a minute. See docs/performance.md.
bench: $(READY) engine  ## What the package costs, for docs/performance.md: 8 min (QUICK=1: 1 min)
	@$(NOX) bench $(if $(QUICK),-- --quick)

# What is locked stays; `make lock UPGRADE=1` takes the newest releases.
lock:
	$(COMPILE) --quiet $(if $(UPGRADE),--upgrade) --group dev --output-file requirements/dev.txt
	$(COMPILE) --quiet $(if $(UPGRADE),--upgrade) --extra policy --output-file requirements/policy.txt

clean:
	rm -rf $(VENV) .venv-policy .venv-nox build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
