# make demo  a sentence becomes a world, a push is predicted, files are written     make test  the checks and the tests
# make app   the studio in the browser                                             make bench  how fast this machine renders
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
VIEWER := $(wildcard app/viewer/src/*.js app/viewer/src/*/*.js app/viewer/package*.json)

.PHONY: demo test test-slow lint app bench bench-all clean
demo: $(STAMP)
	$(BIN)/python examples/demo.py --out demo
app: $(STAMP)
	$(BIN)/spatialwm app $(wildcard demo/*.world)
test: lint
	$(BIN)/python -m pytest -q -rs
test-slow: $(STAMP)
	$(BIN)/python -m pytest -q -rs -m slow --timeout 1800
lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
bench: $(STAMP)
	$(BIN)/spatialwm bench render --backward -o benchmarks/results/render.json
bench-all: bench
	$(BIN)/python benchmarks/render_cpu.py -o benchmarks/results/render_cpu.json
	$(BIN)/python benchmarks/photometric.py -o benchmarks/results/photometric.json
	$(BIN)/python benchmarks/training_step.py -o benchmarks/results/training_step.json
	$(BIN)/python benchmarks/growth.py -o benchmarks/results/growth.json
	$(BIN)/python benchmarks/points.py
	$(BIN)/python benchmarks/video.py
	$(BIN)/python benchmarks/lift_text.py
ifdef EXPERIMENT  # a folder with splat_cpu.cpp and build.sh
	$(BIN)/python benchmarks/against_cpp.py --experiment $(EXPERIMENT) -o benchmarks/results/against_cpp.json
endif
$(STAMP): pyproject.toml constraints.txt hatch_build.py $(VIEWER)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"spatialwm needs Python 3.11 to 3.13 and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[app,bench,dev]'
	@touch $@
clean:
	rm -rf $(VENV) demo app/spatialwm_app/static/viewer.*
