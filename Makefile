# quanhe: `make train` and `make test` set up everything that they need.
PYTHON ?= python3
VENV := .venv
QUANHE := $(VENV)/bin/quanhe
CONFIG ?= configs/default.yaml
INPUT ?= seeds
OUTPUT ?= out/facts.jsonl
DATA ?=
RUN ?= runs/distil
SETTINGS ?=
OPTIONS ?=
READY := $(VENV)/.ready
TOOLS := .venv-interchange

.PHONY: help setup train extract evaluate crossval validate distil benchmark test interchange lint clean

help:  ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# glibc gives large blocks back to the kernel at every free and faults them in again; so set, it keeps them.
train crossval distil: export MALLOC_MMAP_MAX_ = 0
train crossval distil: export MALLOC_TRIM_THRESHOLD_ = 8589934592
train crossval distil: export MALLOC_TOP_PAD_ = 67108864

setup: $(READY)  ## Make the virtual environment.

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "quanhe needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

train: $(READY)  ## Train both stages as CONFIG says; print held-out scores; write models/.
	$(QUANHE) train --config $(CONFIG)

extract: $(READY)  ## Facts from INPUT (a file, folder or glob) to OUTPUT.
	@mkdir -p $(dir $(OUTPUT))
	$(QUANHE) extract $(INPUT) --output $(OUTPUT)

evaluate: $(READY)  ## Score the saved model on held-out articles, or on DATA=folder.
	$(QUANHE) evaluate $(if $(DATA),--data $(DATA))

crossval: $(READY)  ## Leave one training article out at a time.
	$(QUANHE) crossval --config $(CONFIG)

validate: $(READY)  ## Check all annotations.
	$(QUANHE) validate --config $(CONFIG)

distil: $(READY)  ## Make an encoder as configs/distil.yaml and SETTINGS="key=value ..." say; goes on with RUN.
	$(QUANHE) distil --config configs/distil.yaml --output $(RUN) $(SETTINGS)

benchmark: $(READY)  ## Measure quanhe beside what one would take instead; OPTIONS="--rounds 1 --texts 20" for less.
	$(VENV)/bin/python benchmarks/speed.py $(OPTIONS)

test: $(READY)  ## Run the tests.
	$(VENV)/bin/python -m pytest

$(TOOLS)/%/.ready: tests/interchange/%.txt
	$(PYTHON) -m venv $(TOOLS)/$*
	$(TOOLS)/$*/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

interchange: $(READY) $(TOOLS)/label-studio/.ready $(TOOLS)/doccano/.ready  ## Try our files on the real Label Studio and doccano.
	$(VENV)/bin/python tests/interchange/real_tools.py $(TOOLS)

lint: $(READY)  ## Style and types.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:  ## Remove the virtual environment and all that was made by runs.
	rm -rf $(VENV) $(TOOLS) runs out
