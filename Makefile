# Two commands do everything on a machine with Python >= 3.10, make, git and (where no installer of pulumi can be
# reached) Go: `make demo` shows the package at work, `make test` proves it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
POLICY := .venv-policy/.ready

.PHONY: demo test test-fast check format lock clean engine bench

demo: $(READY)
	@$(BIN)/python tools/demo.py

test: check engine $(POLICY)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='codat_zoho/rules.py,codat_zoho/settings.py,codat_zoho/plan.py'

test-fast: $(READY)
	$(BIN)/python -m pytest -m "not engine"

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

engine: $(READY)
	@$(BIN)/python tools/engine.py

# Everything from one locked file, checked against its hashes.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python >= 3.10 is needed; name one: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The policy pack needs another protobuf than pulumi's newest release, so it has an environment of its own.
$(POLICY): requirements-policy.txt
	@echo "Setting up .venv-policy ..."
	@$(PYTHON) -m venv --clear .venv-policy
	@.venv-policy/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-policy.txt
	@touch $@

# What the package costs beside a floor; QUICK=1 for a minute. See docs/performance.md.
bench: $(READY) engine
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

lock:
	cat requirements-dev.in | grep -v '^-e' > build-lock.in
	$(BIN)/python -c 'import pathlib, re; text = pathlib.Path("pyproject.toml").read_text(); print("\n".join(re.search(r"dependencies = \[(.*?)\]", text, re.S)[1].replace("\"", "").replace(",\n", "\n").split("\n")))' >> build-lock.in
	$(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate build-lock.in -o requirements-dev.txt
	rm -f build-lock.in
	$(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate requirements-policy.in -o requirements-policy.txt

clean:
	rm -rf $(VENV) .venv-policy build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
