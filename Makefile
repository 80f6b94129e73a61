# Everything runs from a fresh clone with only make and Python 3.11 or newer.
#   PYTHON=python3.12 make demo     use another interpreter to create .venv
#   make bench-accuracy ARGS="..."  hand arguments to a program

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# -qq: only errors. Hashes and wheels only: nothing is run that the pinned files do not name.
INSTALL := pip install -qq --disable-pip-version-check --no-input
PINNED := $(INSTALL) --only-binary :all: --require-hashes
TORCH := torch==2.13.0
UV := uv==0.13.8

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench-accuracy bench-events bench-faces bench-live bench-models bench-real \
	bench-smoothing bench-speed bench-still bench-tracking bench-wholebody example-events example-live \
	train train-smoke image-steps gpu gpu-check requirements clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/run.stamp ## run the retail graph on the clip that ships
	$(BIN)/python run_graph.py graphs/retail.yaml $(ARGS)

# One BLAS thread: the engine's own threads are what the tests are about.
test: export OMP_NUM_THREADS := 1
test: lint ## check style and types, then run the tests (ARGS="tests/nodes -k yaw" for some of them)
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev.stamp ## check style and types only
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/hadolint docker/*.Dockerfile

format: $(VENV)/dev.stamp ## lay out the code and mend what ruff can mend
	$(BIN)/ruff check --quiet --fix . || true
	$(BIN)/ruff format .

bench-accuracy: $(VENV)/dev.stamp ## measure against rendered truth
	$(BIN)/python -m benchmarks.accuracy $(ARGS)

bench-events: $(VENV)/dev.stamp ## measure events: right, calibrated, fast, none lost; wants an idle machine
	$(BIN)/python -m benchmarks.events $(ARGS)

bench-faces: $(VENV)/dev.stamp ## measure the graph of faces on real footage in the folder that GAZE_REAL_DATA names
	$(BIN)/python -m benchmarks.faces $(ARGS)

bench-live: $(VENV)/dev.stamp ## measure live graphs: faults, load, cameras that come and go; half an hour, idle machine
	$(BIN)/python -m benchmarks.live $(ARGS)

# One BLAS thread: models are measured by the CPU time that they take.
bench-models: export OMP_NUM_THREADS := 1
bench-models: $(VENV)/train.stamp ## measure gaze models as released and prepared, and what is done around every family
	$(BIN)/python -m benchmarks.models $(ARGS)

bench-real: $(VENV)/dev.stamp ## measure on real footage in the folder that GAZE_REAL_DATA names
	$(BIN)/python -m benchmarks.real $(ARGS)

bench-smoothing: $(VENV)/dev.stamp ## measure the gaze filter beside others, and the schedule of gaze calls
	$(BIN)/python -m benchmarks.smoothing $(ARGS)

bench-speed: $(VENV)/dev.stamp ## measure the engine against plain loops; wants an idle machine
	$(BIN)/python -m benchmarks.speed $(ARGS)

bench-still: $(VENV)/dev.stamp ## measure how things that never move are told from people; with GAZE_REAL_DATA also there
	$(BIN)/python -m benchmarks.still $(ARGS)

# One BLAS thread: all of them are measured by the CPU time that they take.
bench-tracking: export OMP_NUM_THREADS := 1
bench-tracking: $(VENV)/run.stamp $(VENV)-bench/stamp ## measure tracking beside other trackers, on GAZE_REAL_DATA/mot
	$(BIN)/python -m benchmarks.tracking $(ARGS)

bench-wholebody: $(VENV)/dev.stamp ## measure whose parts are and how far heads are away; with GAZE_REAL_DATA also there
	$(BIN)/python -m benchmarks.wholebody $(ARGS)

example-events: $(VENV)/run.stamp ## kill the retail graph and a listener while events flow; half a minute
	$(BIN)/python -m examples.events_survive $(ARGS)

example-live: $(VENV)/run.stamp ## lose two cameras, get them back, add a third, and account for every frame; under a minute
	$(BIN)/python -m examples.live $(ARGS)

train: $(VENV)/train.stamp ## make the shipped models anew, hours; goes on where it stopped (ARGS=--ship, ARGS=--list)
	$(BIN)/python -m training $(ARGS)

train-smoke: $(VENV)/train.stamp ## learn a tiny set: does the recipe of the shipped models still work; two to four minutes
	$(BIN)/python -m training.smoke $(ARGS)

# From the network, as a build does it: therefore no test, but a step of its own in .ci/run.
image-steps: ## make in build/image what docker/cpu.Dockerfile makes, without docker, and run the demo there
	$(PYTHON) -m tests.docker.image docker/cpu.Dockerfile build/image

gpu: $(VENV)-gpu/stamp ## make .venv-gpu, 4 GB, for runs on an NVIDIA GPU under Linux, and say what works there
	$(VENV)-gpu/bin/python run_graph.py doctor

# Without a driver, here or of Windows below, 4 GB are not fetched: any environment can say that there is no GPU.
CHECKED := $(if $(wildcard /dev/nvidiactl /dev/dxg),$(VENV)-gpu/stamp,$(VENV)/dev.stamp)
gpu-check: $(CHECKED) ## check and measure the CUDA device; where there is no GPU, say so and be done
	$(dir $(CHECKED))bin/python -m benchmarks.cuda $(ARGS)

requirements: ## pin what pyproject.toml asks for, with hashes and without hosts (ARGS=--upgrade for the newest)
	$(PYTHON) -m venv --clear $(VENV)-uv
	$(VENV)-uv/bin/pip install -qq --disable-pip-version-check $(UV)
	$(COMPILE) pyproject.toml --extra cpu $(EXTRAS) --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --extra cpu $(EXTRAS) --group dev --constraint requirements/run.txt \
		--output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra gpu $(EXTRAS) --constraint requirements/dev.txt --output-file requirements/gpu.txt
	$(COMPILE) --group bench --constraint requirements/run.txt --output-file requirements/bench.txt

EXTRAS := --extra serve
# --no-build: wheels only, as in PINNED. fewest: one version of a package for every Python, so that one is tested.
COMPILE := $(VENV)-uv/bin/uv pip compile --universal --fork-strategy fewest --no-build \
	--generate-hashes --quiet $(ARGS) --custom-compile-command "make requirements"

clean: ## remove environments, caches and results
	rm -rf build $(VENV) $(VENV)-bench $(VENV)-gpu $(VENV)-uv out .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp stands for one installed file of pins; dev.txt holds all of run.txt at the same versions.
$(VENV)/run.stamp: requirements/run.txt
	@$(CHECK_PYTHON)
	@echo "installing pinned packages into $(VENV), about a minute ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/$(PINNED) -r requirements/run.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/run.stamp
	@echo "installing the tools for tests into $(VENV) ..."
	@$(BIN)/$(PINNED) -r requirements/dev.txt
	@touch $@

# In an environment of its own, as both runtimes write the same folder.
$(VENV)-gpu/stamp: requirements/gpu.txt
	@$(CHECK_PYTHON)
	@echo "installing packages for NVIDIA GPUs into $(VENV)-gpu, 4 GB, some minutes ..."
	@$(PYTHON) -m venv --clear $(VENV)-gpu
	@$(VENV)-gpu/bin/$(PINNED) -r requirements/gpu.txt
	@touch $@

# In an environment of its own: see pyproject.toml.
$(VENV)-bench/stamp: requirements/bench.txt
	@$(CHECK_PYTHON)
	@echo "installing the trackers to compare with into $(VENV)-bench, about a minute ..."
	@$(PYTHON) -m venv --clear $(VENV)-bench
	@$(VENV)-bench/bin/$(PINNED) -r requirements/bench.txt
	@touch $@

# Apart from the pins: which torch file is right depends on the machine, and it is larger than all others together.
$(VENV)/train.stamp: $(VENV)/dev.stamp
	@echo "installing $(TORCH) into $(VENV) ..."
	@$(BIN)/$(INSTALL) $(TORCH)
	@touch $@

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "$(PYTHON): expected Python 3.11 or newer, got `$(PYTHON) --version 2>&1`;" \
	"install one (Debian 12, Ubuntu 24.04: apt install python3 python3-venv; macOS: brew install python@3.12)" \
	"or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
