# Two commands for a newcomer: `make demo` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV   ?= .venv
WORKERS ?= 2
BIN    := $(VENV)/bin

.PHONY: demo test test-all lint format clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Attention Atlas needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact pin: any other spec lets pip choose a build with gigabytes of GPU libraries.
$(VENV)/.run: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet "$$(grep '^torch==' requirements.txt)"
	$(BIN)/pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run
	$(BIN)/python app.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint
	CHROMIUM_PATH="$$($(BIN)/python tests/find_chromium.py)" && export CHROMIUM_PATH && $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

# The long ones as well: comparisons with the libraries, disks that fill up, a random wander through the dashboard.
test-all:
	$(MAKE) test PYTEST_ARGS="-m 'slow or not slow'"

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
