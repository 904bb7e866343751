# Each target sets up what it needs, asks nothing and ends by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := test,lint,deploy,docs,page,parquet,plots,markup,registry,msk-iam,tracing

.PHONY: setup demo demo-page test sweep lint test-kafka bench bench-rivals chaos distribution docs reference schemas clean

# pip shows its bars on a terminal, and elsewhere only what goes wrong.
PIP_INSTALL = $(BIN)/pip install --disable-pip-version-check --constraint constraints.txt \
	$(shell test -t 2 || echo --quiet)

setup: $(VENV)/.complete

# What `sluice` itself needs: enough for the demo. Which torch, and from where: .ci/install-torch.
$(VENV)/.runtime: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): 0.9 GB with the CPU build of PyTorch, a minute on a quick line"
	$(PYTHON) -m venv $(VENV)
	@.ci/install-torch $(VENV)
	@echo "The other packages: about 60 MB to download"
	@$(PIP_INSTALL) --editable .
	@touch $@

# And what its tests, checks and documentation need.
$(VENV)/.complete: $(VENV)/.runtime
	@echo "Tools for tests, checks and documentation: about 160 MB to download"
	@$(PIP_INSTALL) --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(VENV)/.runtime
	$(BIN)/sluice demo --count 100

# The page in a browser: a broker of its own, a worker with the embedded model, sample comments without end.
demo-page: $(VENV)/.runtime
	@$(BIN)/python -c "import starlette, uvicorn" 2>/dev/null || $(PIP_INSTALL) --editable '.[page]'
	$(BIN)/sluice page --demo --allow-replay

# What is bound by arithmetic is shared by processes with a thread each for the model; what waits for brokers and measures
# time runs by itself.
TEST_PROCESSES ?= 2
WITHOUT_SERVICES := not kafka and not registry and not chaos and not docs
BROKER_TESTS := tests/contract tests/scenarios tests/page
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

# The stream libraries that the benchmark `overhead` runs beside the worker, and the inference engines that `classify` runs
# beside its classifier; their pins exclude each other. The engines convert checkpoints with torch.
RIVALS := arroyo faststream quix ctranslate2 onnxruntime openvino
vpath %.txt benchmarks/jobs benchmarks/engines
bench-rivals: $(RIVALS:%=.venv-rivals/%/.complete)

.venv-rivals/%/.complete: %.txt
	$(PYTHON) -m venv $(@D)
	@! grep --quiet '^torch==' $< || .ci/install-torch $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

CHAOS_SECONDS ?= 120
CHAOS_SEED ?= 1
chaos: setup
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --seed $(CHAOS_SEED)

# Wheel and sdist, the wheel used from an empty environment, and a list of what is in it: dist/sbom.cdx.json.
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
