# Two commands: `make lab` opens the course, `make test` runs every test.
# Both set everything up first; README.md has the plain pip equivalents. GNU make ≥ 3.81, on Linux and macOS.

VENV  := .venv
PY    := $(VENV)/bin/python
READY := $(VENV)/.lecture10-ready
JOBS  ?= 2
PIP_ARGS ?=
LAB_ARGS ?=
CPU_WHEELS := https://download.pytorch.org/whl/cpu

# PYTHON=… names another interpreter; else the first of these that is new enough (only looked for at set-up).
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11 python,\
	$(shell $(python) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(python))))

# Environment (no network, CPU, a home of their own): tests/conftest.py and conftest.py see to it.
NBVAL := -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout=180 \
	--nbval-sanitize-with tests/nbval_sanitize.cfg

.PHONY: help setup lab test test-style test-python test-notebooks lint refresh clean always

help:
	@echo 'make lab       set up, then open the course in JupyterLab'
	@echo 'make test      set up, then run every test'
	@echo 'make setup     only set up: a virtual environment in $(VENV)'
	@echo 'make lint      style, import arrows and the form of the notebooks'
	@echo 'make refresh   run the notebooks and store their outputs'
	@echo 'make clean     remove $(VENV) and the caches'
	@echo 'Options: PYTHON=python3.12 (which Python), CPU=1 (set up without CUDA: a smaller download)'

setup: $(READY)

lab: setup
	$(PY) -m jupyterlab $(LAB_ARGS) notebooks/00_start_here.ipynb

# Fast failures first: style in a second, then the tests, then the notebooks against their stored outputs.
test: setup
	@$(MAKE) --no-print-directory test-style
	@$(MAKE) --no-print-directory test-python
	@$(MAKE) --no-print-directory test-notebooks

test-style: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

test-python: setup
	OMP_NUM_THREADS=1 $(PY) -m pytest tests -n $(JOBS) --dist loadfile

test-notebooks: setup
	$(PY) -m pytest $(NBVAL) notebooks

lint: test-style
	$(PY) -m lecture10 notebooks lint

refresh: setup
	$(PY) -m lecture10 notebooks refresh

clean:
	@if [ -f $(VENV)/pyvenv.cfg ]; then rm -rf $(VENV); fi
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find lecture10 tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# A virtual environment knows its own path: one that was moved, or whose Python is gone, is made again.
ifneq ($(shell $(PY) -c 'pass' >/dev/null 2>&1 && cat $(READY) 2>/dev/null),$(CURDIR))
$(READY): always
endif

$(READY): pyproject.toml constraints.txt
	@python="$(PYTHON)"; \
	if [ -z "$$python" ] || ! "$$python" -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		echo "lecture10 needs Python 3.11 or newer; found: $$("$${python:-python3}" --version 2>&1 || echo none)." >&2; \
		echo "  Debian, Ubuntu: sudo apt install python3 python3-venv      macOS: brew install python@3.12" >&2; \
		echo "  Then the same command again, or name one: make setup PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	if [ "$$($(PY) -c 'pass' >/dev/null 2>&1 && cat $(VENV)/.place 2>/dev/null)" != "$(CURDIR)" ]; then \
		if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null || ! "$$python" -m venv --clear $(VENV); then \
			echo "$$python cannot make a virtual environment: its venv module is missing or broken." >&2; \
			echo "  Debian, Ubuntu: sudo apt install python3-venv      then the same command again" >&2; \
			exit 1; \
		fi; \
		printf '%s' "$(CURDIR)" > $(VENV)/.place; \
	fi
	@echo 'Installing the course into $(VENV): a few minutes the first time.'
	@if [ -n "$(CPU)" ]; then $(PY) -m pip install $(PIP_ARGS) -c constraints.txt torch torchvision \
		--extra-index-url $(CPU_WHEELS); fi
	@$(PY) -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[course,test]' || \
		{ echo 'The installation did not finish; what was downloaded is kept. Online? Then the same command again.' >&2; \
		  echo 'No wheel for your Python? Try another one: make clean setup PYTHON=python3.12' >&2; exit 1; }
	@printf '%s' "$(CURDIR)" > $(READY)
