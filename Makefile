# make          everything: an environment, every run, the exports, the tables, figures, verdicts
# make full     the same for the full reproduction of the paper, 64 runs
# make ucr      four classifiers on six datasets: a table over tasks, ranks, verdicts; 192 runs
# make quick    the units' tests, in a minute
# make test     all tests but the long ones
# make coverage the same, and which lines of the library they reach
# make lint     format and lint, in seconds
# make check    the same, types, the layers of the package
# make licences each dependency with its reason, licence and last release, into docs/dependencies.md
# make docs     the documentation, into site/
# make soak     the long tests
# make lock     resolve the dependencies anew
#
# CORES=4 make  uses four cores; PYTHON=python3.12 make builds the environment with that Python.

PYTHON ?= python3
CORES ?= $(shell nproc)
SNAKEMAKE = caduceus build --cores $(CORES) --quiet host rules reason
SOURCES = setup.py scripts experiments tests benchmarks docs
SMK = Snakefile workflow/Snakefile $(wildcard workflow/rules/*.smk)

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: all full ucr quick test coverage lint check licences docs soak lock

all: .venv/installed
	@$(SNAKEMAKE)

full: .venv/installed
	@$(SNAKEMAKE) --config experiments=experiments/mnist1d.yaml paper=experiments/mnist1d_paper.yaml

ucr: .venv/installed-ucr
	@$(SNAKEMAKE) --directory experiments/ucr

quick: .venv/installed-dev
	pytest -n 2 -m 'not soak and not slow' tests/unit

test: .venv/installed-dev
	pytest -n 6 # on two cores: many tests wait for others' programs

coverage: .venv/installed-dev
	coverage erase
	coverage run -m pytest -n 6 $(TESTS); status=$$?; \
	  coverage combine --quiet; coverage report; exit $$status # of failing tests too

soak: .venv/installed-dev
	pytest -n 2 -m soak

lint: .venv/installed-dev
	ruff check $(SOURCES)
	ruff format --check $(SOURCES)
	snakefmt --check $(SMK)

check: lint
	mypy
	lint-imports
	python tests/support/lint_workflow.py

licences: .venv/installed-dev
	@python docs/dependencies.py

docs: .venv/installed-dev
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo site/index.html

.venv/installed: envs/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Caduceus needs Python 3.11 or later, and $(PYTHON) is %s: PYTHON=python3.12 make" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	pip install --quiet --requirement envs/requirements.txt
	pip uninstall -qq --yes caduceus # the former name, or the package of others that has it
	pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-ucr: .venv/installed envs/requirements-ucr.txt
	pip install --quiet --no-deps --requirement envs/requirements-ucr.txt
	@touch $@

.venv/installed-dev: .venv/installed envs/requirements-dev.txt envs/requirements-ucr.txt envs/requirements-crate.txt
	pip install --quiet --requirement envs/requirements-dev.txt
	pip install --quiet --no-deps sweeps==0.3.0 # it asks for numpy 1, and works with 2
	pip install --quiet --no-deps --requirement envs/requirements-ucr.txt
	pip install --quiet --no-deps --requirement envs/requirements-crate.txt
	@touch $@

# A freeze names torch's local version (+cpu), which no index has.
lock:
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/pip install --quiet --upgrade setuptools
	.lock/bin/pip install --quiet torch==2.13.0 '.[mnist1d]'
	.lock/bin/pip freeze --all | grep -Ev '^(pip|caduceus-ml)\b' | sed 's/+cpu//' > envs/requirements.txt
	.lock/bin/pip install --quiet '.[dev,gallery,mcp,mnist1d]'
	.lock/bin/pip freeze --all | grep -Ev '^(pip|caduceus-ml)\b' | sed 's/+cpu//' > envs/requirements-dev.txt
	rm -rf .lock
