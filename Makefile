# Every target builds its own virtual environment in .venv from a bare clone: only Python >= 3.11 is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
BENCH ?=
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help setup verify test lint format bench bench-gpu clean
.DEFAULT_GOAL := help

help:            ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@touch $@

setup: $(STAMP)  ## create .venv and install modeconn into it

verify: $(STAMP) ## put every claim on trial, run the study on real data, write runs/verify/report.html
	$(BIN)/modeconn verify --profile quick --jobs $(JOBS) --out runs/verify

test: $(STAMP)   ## run all tests, doctests included
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadscope

lint: $(STAMP)   ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## rewrite the files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## time everything against its peers, answers first: records, page and plots, about 20 minutes on 2 cores
	$(BIN)/python benchmarks/run.py $(BENCH)

bench-gpu: $(STAMP) ## the same on an accelerator, its tests first, ten minutes at the most
	$(BIN)/python benchmarks/run.py --accelerator $(BENCH)

clean:           ## remove the virtual environment and what runs have written
	rm -rf $(VENV) runs build dist
