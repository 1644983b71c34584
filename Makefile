# Two commands do everything on a machine with Python >= 3.10, make, git and (where no installer of pulumi can be
# reached) Go: `make demo` shows the package at work, `make test` proves it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
POLICY := .venv-policy/.ready
BENCH := .venv-bench/.ready

.PHONY: demo test test-fast test-faults check format lock clean engine fuzz mutations test-versions dist release docs engine-env pictures reference bench

demo: $(READY)
	@$(BIN)/python tools/demo.py

test: check engine $(POLICY)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='codat_zoho/rules.py,codat_zoho/settings.py,codat_zoho/actual.py,codat_zoho/plan.py'

test-fast: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not engine and not slow" --ignore-glob='*_matrix.py'

# Every fault at every call of every operation, and every kill at every call of a real run: minutes, not seconds. `make
# test` collects a fixed sample of both.
test-faults: $(READY) engine
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --matrix tests/faults

# The same inputs as in `make test`, a hundred times as many.
fuzz: $(READY)
	FUZZ_EXAMPLES=6000 $(BIN)/python -m pytest tests/test_fuzz.py -n auto

# Removes the safeguards one by one: the tests have to notice each. About ten minutes.
mutations: $(READY)
	$(BIN)/python tools/mutations.py

# The oldest and the newest releases of what the package needs, and httpx2, each in an environment of its own.
test-versions: engine
	@$(BIN)/python tools/versions.py

# The wheel and the sdist in dist/, checked, and the wheel tested in an environment that knows no checkout.
dist: $(READY)
	@$(BIN)/python tools/package.py dist

# What a release would do. Uploads nothing.
release: $(READY)
	@$(BIN)/python tools/package.py release

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	$(BIN)/python tools/audit.py
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/pictures.py --check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

engine: $(READY)
	@$(BIN)/python tools/engine.py

# eval "$(make -s engine-env)" lets a shell find pulumi and codat-zoho.
engine-env:
	@$(MAKE) -s $(READY) >&2
	@$(BIN)/python tools/engine.py env

# The folder of the sources is the repository's root, so that links between files work here as they do in a forge.
docs: $(READY)
	@$(BIN)/python tools/screenshots.py
	$(BIN)/python -m sphinx -q -W --keep-going -n -c docs -d build/doctrees . build/docs
	@echo "Open build/docs/docs/index.html"

# What a run draws: the terminal, the report, and the boxes and arrows. `make test` says which of them is stale.
pictures: $(READY) engine
	$(BIN)/python tools/terminal_svg.py > /dev/null
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/pictures.py

reference: $(READY)
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/pictures.py

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
bench: $(READY) $(BENCH) engine
	@.venv-bench/bin/python -m bench $(if $(QUICK),--quick)

# As a user has it: development tools would slow httpx down, which loads those that it finds.
$(BENCH): requirements-newest.txt pyproject.toml
	@echo "Setting up .venv-bench ..."
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-newest.txt
	@echo "$(CURDIR)" > "$$(.venv-bench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/codat_zoho.pth"
	@touch $@

lock:
	cat requirements-dev.in | grep -v '^-e' > build-lock.in
	$(BIN)/python -c 'import pathlib, re; text = pathlib.Path("pyproject.toml").read_text(); print("\n".join(re.search(r"dependencies = \[(.*?)\]", text, re.S)[1].replace("\"", "").replace(",\n", "\n").split("\n")))' >> build-lock.in
	$(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate build-lock.in -o requirements-dev.txt
	rm -f build-lock.in
	$(BIN)/python -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate requirements-policy.in -o requirements-policy.txt
	$(BIN)/python tools/versions.py lock

clean:
	rm -rf $(VENV) .venv-policy .venv-bench .venv-versions build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
