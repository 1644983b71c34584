# Two commands do everything on a machine with Python >= 3.10, make, git and (where no installer of pulumi can be
# reached) Go: `make demo` shows the package at work, `make test` proves it. `make help` lists the everyday targets, the
# lines with two #: what it does | what it needs | how long it takes. CONTRIBUTING.md has the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
POLICY := .venv-policy/.ready
DEMO := .venv-demo/.ready
NEW_ENOUGH = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python >= 3.10 is needed; name one: make PYTHON=python3.12")'
PIP := -m pip install --quiet --disable-pip-version-check
FAILED := { echo "Not set up: pip says above why. Without a network, PIP_INDEX_URL or PIP_FIND_LINKS may name an index or a folder within reach." >&2; exit 1; }
NOX := $(BIN)/nox --session
COMPILE := $(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate pyproject.toml

.PHONY: demo help test test-fast test-faults check format lock clean engine fuzz odd-files mutations test-versions dist release docs engine-env pictures reference bench

# It needs only what the package needs, so it has its own environment; what it takes is said first.
demo:  ## The package at work on the real engine; FULL=1 shows every line | engine | 1 min
	@$(NEW_ENOUGH)
	@$(PYTHON) tools/engine.py notice
	@$(MAKE) -s $(DEMO)
	@.venv-demo/bin/python tools/demo.py $(if $(FULL),--full)

help:
	@awk -F ':.*## | [|] ' 'BEGIN { printf "%-15s %-67s %-10s %s\n", "type", "for", "needs", "takes" } \
		/^[a-z-]+:.*## / { printf "make %-10s %-67s %-10s %s\n", $$1, $$2, $$3, $$4 }' Makefile
	@echo
	@echo "All need Python >= 3.10, make and git. The first one that needs it sets up .venv-demo (100 MiB, half a minute)"
	@echo "or .venv (700 MiB, 2 min). engine: pulumi on PATH, or it is installed or built with Go, once (4 min)."
	@echo "Other targets: CONTRIBUTING.md."

test: check engine $(POLICY)  ## Everything, with make check and the coverage; what CI runs | engine | 15 min
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='codat_zoho/core/*,codat_zoho/declare/*'

test-fast: $(READY)  ## The tests that are quick and need no engine | .venv | 1 min
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not engine and not slow" --ignore-glob='*_matrix.py'

# Every fault at every call of every operation, and every kill at every call of a real run: minutes, not seconds. `make
# test` collects a fixed sample of both.
test-faults: $(READY) engine
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --matrix tests/faults tests/test_plugin_ladder.py

# The same inputs as in `make test`, a hundred times as many.
fuzz: $(READY)
	FUZZ_EXAMPLES=6000 $(BIN)/python -m pytest tests/test_fuzz.py -n auto

# Odd project and stack files, read by review and by the engine: minutes, not seconds. ODD_FILES says how many, and
# ODD_FILES_SEED, which a failure prints, makes the same again.
odd-files: $(READY) engine
	ODD_FILES=$(or $(ODD_FILES),5000) $(BIN)/python -m pytest tests/test_odd_files.py -k "read_the_same or once" -s

# Removes the safeguards one by one; each time, tests have to fail. About ten minutes.
mutations: $(READY)
	$(BIN)/python tools/mutations.py

# The oldest and the newest releases of what the package needs, and httpx2, each in an environment of its own.
test-versions: engine
	@$(NOX) floor below newest httpx2

# The wheel and the sdist in dist/, checked, and the wheel tested in an environment that knows no checkout.
dist: $(READY)
	@$(NOX) dist

# A dry run of a release. Uploads nothing.
release: $(READY)
	@$(NOX) release

check: $(READY)  ## Format, lint, types, imports, workflows, the audit, the reference | .venv | 20 s
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	$(BIN)/python tools/workflows.py
	$(BIN)/python tools/audit.py
	$(BIN)/python tools/reference.py --check

format: $(READY)  ## Formats the code, and fixes what the linter can | .venv | 1 s
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

engine: $(READY)
	@$(BIN)/python tools/engine.py

# eval "$(make -s engine-env)" puts pulumi and codat-zoho on the PATH of a shell.
engine-env:
	@$(MAKE) -s $(READY) >&2
	@$(BIN)/python tools/engine.py env

# Sphinx reads from the repository's root, so that links between files work as they do on GitHub. It fetches nothing; in
# the browser, the pictures of boxes are drawn by a script from a CDN, and are readable as text without it.
docs: $(READY)  ## The site, in build/docs; with chromium its pictures too | .venv | 10 s
	@$(BIN)/python tools/screenshots.py
	$(BIN)/python -m sphinx -q -W --keep-going -n -c docs -d build/doctrees . build/docs
	@echo "Open build/docs/docs/index.html"

# The pictures of runs: the terminal and the report. `make test` says if one is stale.
pictures: $(READY) engine
	$(BIN)/python tools/terminal_svg.py > /dev/null
	$(BIN)/python tools/screenshots.py

reference: $(READY)  ## docs/reference, from the code | .venv | 2 s
	$(BIN)/python tools/reference.py

# Everything comes from one locked file, checked against its hashes.
$(READY): requirements/dev.txt pyproject.toml
	@$(NEW_ENOUGH)
	@echo "Setting up $(VENV): 700 MiB, 2 minutes ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt || $(FAILED)
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# The policy pack needs an older protobuf than pulumi's newest release, so it has its own environment.
$(POLICY): requirements/policy.txt
	@echo "Setting up .venv-policy ..."
	@$(PYTHON) -m venv --clear .venv-policy
	@.venv-policy/bin/python $(PIP) --require-hashes -r requirements/policy.txt || $(FAILED)
	@touch $@

# Python compiles by itself what is imported: a third of all, and not before the demo starts.
$(DEMO): requirements/run.txt
	@echo "Setting up .venv-demo: 100 MiB, half a minute ..."
	@$(PYTHON) -m venv --clear .venv-demo
	@.venv-demo/bin/python $(PIP) --no-compile --require-hashes -r requirements/run.txt || $(FAILED)
	@touch $@

bench: $(READY) engine  ## What the package costs, for docs/performance.md; QUICK=1: 1 min | engine | 8 min
	@$(NOX) bench $(if $(QUICK),-- --quick)

# Locked releases stay as they are; `make lock UPGRADE=1` takes the newest ones.
lock:
	$(COMPILE) --quiet $(if $(UPGRADE),--upgrade) --group dev --output-file requirements/dev.txt
	$(COMPILE) --quiet --upgrade --constraints requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) --quiet $(if $(UPGRADE),--upgrade) --extra policy --output-file requirements/policy.txt

clean:
	rm -rf $(VENV) .venv-demo .venv-policy .venv-nox build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
