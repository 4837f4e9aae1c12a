# make demo    set up what it runs, build the bundled sample into out/demo, load it, predict with the baselines,
#              score, build the leaderboard page out/demo-leaderboard/index.html
# make test    set up the rest, run all tests that need no GPU
# make check   set up the rest, lint, format check, types
# make setup   set up all of it: what demo needs, then PyTorch, Inspect, Gradio and the tools of test and check
# make sample  set up, collect the bundled sample's rollouts anew
# make bench   set up, print the ratios of time, size and memory of starting, building, loading, scoring,
#              evaluate, the leaderboard and collecting, and what prefix caches can serve
# make baselines  set up, print the table of skills of estimators that need no model
# make docs    set up, build the documentation's site out/docs/index.html; make docs-links asks each link outside
# make attacks set up, run attacks at full size, print the table of docs/security.md
# make schemas set up, write the JSON schemas of submissions anew
# make lock    write requirements/*.lock anew after a change of pyproject.toml; UPGRADE=--upgrade takes newer releases
# make lowest  test the core with the oldest packages that pyproject.toml allows (needs uv)
# make audit   look for known vulnerabilities in what is locked (asks PyPI about each package)
# make bom     write a bill of materials of what is locked, out/bom.json (CycloneDX)
# make release-check  set up what demo needs, build the package into out/release/dist, check it, and use it in an
#              environment of its own; TAG=v1.2.0 checks too that this tag may be put on it
# make clean   remove what the others made
#
# Packages are installed by uv where it is there, else by pip; make UV= TARGET takes pip all the same.
# They are those of requirements/*.lock, by hash; make LOCK= TARGET takes the newest that pyproject.toml allows.

PYTHON ?= python3
UV := $(shell command -v uv)
TORCH ?= torch==2.13.0
LOCK ?= requirements
LOWEST := tests/bagen_data/scoring tests/bagen_data/test_hub.py tests/bagen_data/test_submissions.py tests/bagen_data/test_cli.py \
	tests/builders/test_build.py tests/leaderboard/test_build_results.py \
	tests/leaderboard/test_exports.py tests/leaderboard/test_submit.py
VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.demo
READY := $(VENV)/.ready

ifeq ($(UV),)
CREATE = $(PYTHON) -m venv $(VENV) && $(INSTALL) --upgrade pip
INSTALL = $(BIN)/python -m pip install --quiet --no-compile
else
# with pip in it, so that either way of installing goes on where the other stopped
CREATE = $(UV) venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
endif
ifeq ($(LOCK),)
INSTALL_DEMO = $(INSTALL) --editable '.[demo]'
INSTALL_REST = $(INSTALL) '$(TORCH)' && $(INSTALL) --editable '.[dev]' && $(INSTALL) --no-deps -r requirements/alone.in
else
LOCKED = $(INSTALL) --no-deps --require-hashes
INSTALL_DEMO = $(LOCKED) -r $(LOCK)/demo.lock && $(INSTALL) --no-deps --no-build-isolation --editable .
INSTALL_REST = $(LOCKED) -r $(LOCK)/dev.lock -r $(LOCK)/alone.lock && $(INSTALL) '$(TORCH)'
endif
# for every Python and system at once, from the index that everybody has
WRITE_LOCK = $(or $(UV),$(error make lock needs uv)) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-config --default-index https://pypi.org/simple $(UPGRADE)
# on all cores, and without the packages' own tests: half the time and 80 MB less than pip's compiling;
# packages hold a few files for other versions of Python, which cannot be compiled and are not imported
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true

# those that answer at once; forest, conformal and reward_optimal take longer than the rest of demo
DEMO_FORECASTERS := over_budget quantiles median_22 climatology aft

.PHONY: demo setup test check format sample bench baselines docs docs-links attacks schemas lock lowest audit bom \
	release-check clean

demo: $(DEMO)
	$(BIN)/python -m builders build --origin sample/origin --out out/demo
	$(BIN)/python -m builders verify out/demo
	$(BIN)/python sample/show.py out/demo
	$(BIN)/bagen predict baseline quantiles --dataset out/demo --out out/demo-quantiles
	$(BIN)/bagen validate out/demo-quantiles --dataset out/demo
	$(BIN)/bagen score out/demo-quantiles --dataset out/demo --json out/demo-scores.json
	$(BIN)/python -m leaderboard baselines --dataset out/demo --out out/demo-submissions \
		$(DEMO_FORECASTERS:%=--forecaster %)
	$(BIN)/python -m leaderboard build --submissions out/demo-submissions --dataset out/demo \
		--out out/demo-leaderboard --no-cache

# tests start hundreds of processes: modules that the first has compiled are read by the rest
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/score.py
	$(BIN)/python benchmarks/score_command.py
	$(BIN)/python benchmarks/evaluate_metric.py
	$(BIN)/python benchmarks/loading.py
	$(BIN)/python benchmarks/prefix_cache.py
	$(BIN)/python benchmarks/leaderboard.py
	$(BIN)/python benchmarks/collect.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/watching.py
	$(BIN)/python benchmarks/policy.py promise

sample: $(READY)
	$(BIN)/python sample/make.py

baselines: $(READY)
	$(BIN)/python benchmarks/baselines.py

docs: $(READY)
	$(BIN)/sphinx-build -q -W --keep-going -b html docs out/docs
	@echo out/docs/index.html

docs-links: $(READY)
	$(BIN)/sphinx-build -q -b linkcheck docs out/docs-links

attacks: $(READY)
	BAGEN_LONG_ATTACKS=1 $(BIN)/python -m pytest tests/attacks -n auto -p no:cacheprovider

schemas: $(READY)
	$(BIN)/python -m bagen_data.submissions

lock:
	$(WRITE_LOCK) --extra dev --override requirements/without-torch.override --no-emit-package torch \
		pyproject.toml requirements/build.in requirements/with-torch.in -o requirements/dev.lock
	$(WRITE_LOCK) --no-deps requirements/alone.in -o requirements/alone.lock
	$(WRITE_LOCK) --extra demo --constraint requirements/dev.lock \
		pyproject.toml requirements/build.in -o requirements/demo.lock

lowest:
	$(or $(UV),$(error make lowest needs uv)) venv --quiet --clear --python 3.11 out/lowest
	$(UV) pip install --quiet --python out/lowest/bin/python --resolution lowest-direct --editable '.[demo]' \
		'hypothesis>=6.100' 'jsonschema>=4' 'mapie>=1' 'polars>=1.3' 'pytest>=8.2' 'tokenizers>=0.22.2'
	out/lowest/bin/python -m pytest -o filterwarnings=default -p no:cacheprovider $(LOWEST)

audit:
	$(PYTHON) -m venv out/audit
	out/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	out/audit/bin/pip-audit --disable-pip --require-hashes \
		--requirement requirements/dev.lock --requirement requirements/alone.lock

bom:
	$(PYTHON) -m venv out/bom
	out/bom/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	cat requirements/dev.lock requirements/alone.lock | out/bom/bin/cyclonedx-py requirements - \
		--pyproject pyproject.toml --output-reproducible --output-file out/bom.json

release-check: $(DEMO)
	$(BIN)/python -m tools.release_check --out out/release --tag "$$TAG"

setup: $(READY)

$(DEMO): pyproject.toml $(wildcard requirements/*.lock)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 ..."; exit 1; }
	$(CREATE)
	$(INSTALL_DEMO)
	$(COMPILE)
	touch $(DEMO)

$(READY): $(DEMO)
	$(INSTALL_REST)
	$(COMPILE)
	touch $(READY)

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache .hypothesis
