# make demo    set up what it runs, build the bundled sample into out/demo, load it, predict with the baselines,
#              score, build the leaderboard page out/demo-leaderboard/index.html
# make test    set up the rest, run all tests that need no GPU
# make check   set up the rest, lint, format check, types
# make setup   set up all of it: what demo needs, then PyTorch, Inspect, Gradio and the tools of test and check
# make sample  set up, collect the bundled sample's rollouts anew
# make bench   set up, print the ratios of time, size and memory of starting, building, scoring, the
#              leaderboard and collecting, and what prefix caches can serve
# make baselines  set up, print the table of estimators that need no model
# make attacks set up, run attacks at full size, print the table of docs/security.md
# make schemas set up, write the JSON schemas of submissions anew
# make clean   remove what the others made
#
# Packages are installed by uv where it is there, else by pip; make UV= TARGET takes pip all the same.

PYTHON ?= python3
UV := $(shell command -v uv)
TORCH ?= torch==2.13.0
# without its dependencies: its litellm needs an older huggingface-hub, and nothing here calls it
MINI := mini-swe-agent==2.4.6
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
# on all cores, and without the packages' own tests: half the time and 80 MB less than pip's compiling;
# packages hold a few files for other versions of Python, which cannot be compiled and are not imported
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true

.PHONY: demo setup test check format sample bench baselines attacks schemas clean

demo: $(DEMO)
	$(BIN)/python -m builders build --origin sample/origin --out out/demo
	$(BIN)/python -m builders verify out/demo
	$(BIN)/python sample/show.py out/demo
	$(BIN)/bagen predict baseline quantiles --dataset out/demo --out out/demo-quantiles
	$(BIN)/bagen validate out/demo-quantiles --dataset out/demo
	$(BIN)/bagen score out/demo-quantiles --dataset out/demo --json out/demo-scores.json
	$(BIN)/python -m leaderboard baselines --dataset out/demo --out out/demo-submissions
	$(BIN)/python -m leaderboard build --submissions out/demo-submissions --dataset out/demo \
		--out out/demo-leaderboard --no-cache

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
	$(BIN)/python benchmarks/score.py
	$(BIN)/python benchmarks/prefix_cache.py
	$(BIN)/python benchmarks/leaderboard.py
	$(BIN)/python benchmarks/collect.py

sample: $(READY)
	$(BIN)/python sample/make.py

baselines: $(READY)
	$(BIN)/python benchmarks/baselines.py

attacks: $(READY)
	BAGEN_LONG_ATTACKS=1 $(BIN)/python -m pytest tests/attacks -p no:cacheprovider

schemas: $(READY)
	$(BIN)/python -m bagen_data.submissions

setup: $(READY)

$(DEMO): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 ..."; exit 1; }
	$(CREATE)
	$(INSTALL) --editable '.[demo]'
	$(COMPILE)
	touch $(DEMO)

$(READY): $(DEMO)
	$(INSTALL) '$(TORCH)'
	$(INSTALL) --editable '.[dev]'
	$(INSTALL) --no-deps $(MINI)
	$(COMPILE)
	touch $(READY)

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache .hypothesis
