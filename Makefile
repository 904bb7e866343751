# Each target sets up what it needs, asks nothing and ends by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := test,lint,parquet,plots,docs

.PHONY: setup demo test sweep lint test-kafka bench bench-rivals chaos distribution docs reference schemas clean

setup: $(VENV)/.complete

# torch is installed by its exact pin first: a bare `torch` would bring the registry's default build. Set TORCH_INDEX to
# take another one, for example https://download.pytorch.org/whl/cpu for the small CPU build; what torch itself needs
# comes with the second step.
$(VENV)/.complete: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about 1.3 GB, most of it PyTorch; a minute or more, without output"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		$(if $(TORCH_INDEX),--no-deps --index-url $(TORCH_INDEX)) torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

demo: setup
	$(BIN)/sluice demo --count 100

# What is bound by arithmetic is shared by processes with a thread each for the model; what waits for brokers and measures
# time runs by itself.
TEST_PROCESSES ?= 2
WITHOUT_SERVICES := not kafka and not registry and not chaos and not docs
BROKER_TESTS := tests/contract tests/scenarios
test: setup
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal --durations 15 -m '$(WITHOUT_SERVICES)' \
		$(BROKER_TESTS:%=--ignore %)
	$(BIN)/python -m pytest --durations 15 -m '$(WITHOUT_SERVICES)' $(BROKER_TESTS)

test-kafka: setup
	$(BIN)/python -m pytest -m 'kafka or registry or chaos'

# Every sequence-classification class of transformers against plain transformers, and the page that says so.
sweep: setup
	$(BIN)/python -W ignore -m tests.parity --write docs/reference/architectures.md

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

bench: setup
	$(BIN)/python -m benchmarks

# The stream libraries that the benchmark `overhead` runs beside the worker; their pins exclude each other.
RIVALS := arroyo faststream quix
bench-rivals: $(RIVALS:%=.venv-rivals/%/.complete)

.venv-rivals/%/.complete: benchmarks/jobs/%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

CHAOS_SECONDS ?= 120
CHAOS_SEED ?= 1
chaos: setup
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --seed $(CHAOS_SEED)

# Wheel and sdist, and the wheel used from an empty environment.
distribution: setup
	.ci/check-distribution

# The documentation: `make reference` writes the pages made from the code; `make docs` builds the site into site/ and runs
# what the pages and the examples tell a reader to type.
reference: setup
	$(BIN)/python -m docgen

docs: setup
	$(BIN)/zensical build --strict
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 5 -m docs

schemas: setup
	$(BIN)/python -m schemas.generate

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache
