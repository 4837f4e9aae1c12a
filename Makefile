# make demo    set up, build the bundled sample into out/demo, load it, predict with the baselines, score,
#              build the leaderboard page out/demo-leaderboard/index.html
# make test    set up, run all tests that need no GPU
# make check   set up, lint, format check, types
# make sample  set up, collect the bundled sample's rollouts anew
# make bench   set up, print the ratios of time, size and memory of building, scoring, the
#              leaderboard and collecting, and what prefix caches can serve
# make baselines  set up, print the table of estimators that need no model
# make schemas set up, write the JSON schemas of submissions anew
# make clean   remove what the others made

PYTHON ?= python3
TORCH ?= torch==2.13.0
# without its dependencies: its litellm needs an older huggingface-hub, and nothing here calls it
MINI := mini-swe-agent==2.4.6
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check format sample bench baselines schemas clean

demo: $(READY)
	$(BIN)/python -m builders build --origin sample/origin --out out/demo
	$(BIN)/python -m builders verify out/demo
	$(BIN)/python sample/show.py out/demo
	$(BIN)/bagen predict baseline conformal --dataset out/demo --out out/demo-conformal
	$(BIN)/bagen validate out/demo-conformal --dataset out/demo
	$(BIN)/bagen score out/demo-conformal --dataset out/demo --json out/demo-scores.json
	$(BIN)/python -m leaderboard baselines --dataset out/demo --out out/demo-submissions
	$(BIN)/python -m leaderboard build --submissions out/demo-submissions --dataset out/demo \
		--out out/demo-leaderboard --no-cache

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/score.py
	$(BIN)/python benchmarks/prefix_cache.py
	$(BIN)/python benchmarks/leaderboard.py
	$(BIN)/python benchmarks/collect.py

sample: $(READY)
	$(BIN)/python sample/make.py

baselines: $(READY)
	$(BIN)/python benchmarks/baselines.py

schemas: $(READY)
	$(BIN)/python -m bagen_data.submissions

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps $(MINI)
	touch $(READY)

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache .hypothesis
