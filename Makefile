# What one can do here; `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# An inherited virtual environment or PYTHONPATH would mix foreign packages into ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# Where Java is only known by its home, the launcher and the JAR download find it too.
ifdef JAVA_HOME
export PATH := $(JAVA_HOME)/bin:$(PATH)
endif
# Interpreters come from the system: uv would otherwise fetch its own.
export UV_PYTHON_DOWNLOADS := never

PYTHON_IN := .venv/bin/python
PYTEST := $(PYTHON_IN) -m pytest
UV := .venv/bin/uv
LAKE := demo-lake
# The newest patch of the oldest Spark line that tasklake supports.
SPARK40 := 4.0.5
TIERS = $(wildcard tests/unit tests/spark tests/e2e tests/sandbox)
# The oldest, the usual and the newest Python that the wheel claims.
PYTHONS := 3.11 3.12 3.13

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: ## install everything into .venv (Java and system packages too where it may)
	@bash infra/setup/environment.sh

.PHONY: demo
demo: setup ## run the demo recipe into demo-lake/: the main job, from problems to a release
	.venv/bin/tasklake demo --dir $(LAKE)

.PHONY: test
test: setup ## run the unit, sandbox, spark and e2e tiers
	@# two side by side, for a JVM alone keeps one core of two busy; unit tests first, for a process has one Spark
	$(PYTEST) -rs -n 2 --no-loadscope-reorder \
		-m "not cluster and not chaos and not bench and not connect and not docker and not wide" $(TIERS)

.PHONY: check
check: setup ## lint, format, types, import direction, terraform and yaml where present
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@bash infra/setup/check_data.sh

.PHONY: fmt
fmt: setup ## format the code and mend what the linter can
	.venv/bin/ruff check --fix --exit-zero .
	.venv/bin/ruff format .

.PHONY: test-unit
test-unit: setup ## run the tests that need no JVM and no program run
	$(PYTEST) -rs tests/unit

.PHONY: test-spark
test-spark: setup ## run the tests that start Spark
	$(PYTEST) -rs -m "not chaos and not wide and not connect" tests/spark

.PHONY: test-sandbox
test-sandbox: setup ## run the tests that run programs
	$(PYTEST) -rs -m "not wide and not docker" tests/sandbox

.PHONY: test-spark40
test-spark40: setup ## run the spark tier against pyspark 4.0.x in an environment of its own
	@bash infra/setup/spark40.sh $(SPARK40)
	build/venv-spark40/bin/python -m pytest -rs -m "not chaos and not wide" tests/spark

.PHONY: test-cluster
test-cluster: setup ## run with executors outside the driver on an S3 server (fetches 640 MB once)
	$(PYTHON_IN) -m tasklake.jobs.jars delta s3
	$(PYTEST) -rs -m cluster tests

.PHONY: test-connect
test-connect: setup ## run a whole recipe through a Spark Connect client and compare with a classic session
	$(PYTEST) -rs -m connect tests

.PHONY: test-chaos
test-chaos: setup ## kill runs at seeded instants and compare the tables
	$(PYTEST) -rs -m chaos tests

.PHONY: test-stability
test-stability: setup ## ten thousand runs beside busy neighbours: no verdict flips
	$(PYTEST) -rs -m stability tests

.PHONY: test-wide
test-wide: setup ## run every program, level, user and size that make test only samples
	$(PYTEST) -rs -m "wide and not docker" tests

.PHONY: test-docker
test-docker: setup ## run programs and attacks in containers of a Docker engine started for it (root, dockerd)
	$(PYTEST) -rs -m docker tests/sandbox

.PHONY: test-properties
test-properties: setup ## look for counterexamples to the properties for some ten minutes
	$(PYTEST) -rs -m hypothesis --hypothesis-profile=long tests/unit

.PHONY: bench
bench: setup ## measure ratios against a reference in the same run
	$(PYTEST) -rs -s tests/bench

.PHONY: docs
docs: setup ## write docs/languages.md from the packs, and measure what it says of toolchains
	$(PYTHON_IN) infra/docs/languages.py

.PHONY: wheel
wheel: setup ## build dist/tasklake-*.whl
	@# setuptools ships whatever an earlier build left there, deleted modules too
	rm -rf build/lib build/bdist.* dist
	$(UV) build --quiet --wheel --no-build-isolation --python $(PYTHON_IN) --out-dir dist .
	@ls dist/*.whl

.PHONY: zip
zip: wheel ## build dist/tasklake.zip for executors that do not install the wheel (spark-submit --py-files)
	rm -rf build/zip
	$(PYTHON_IN) -m zipfile -e dist/tasklake-*.whl build/zip
	@# `tasklake` has no __init__.py: inside a zip it is only found by an entry of its own, which a wheel lacks
	$(PYTHON_IN) -m zipfile -c dist/tasklake.zip build/zip/tasklake
	@ls dist/tasklake.zip

.PHONY: resolve
resolve: setup ## prove that the wheel's ranges resolve on every Python and beside every platform
	@for python in $(PYTHONS); do \
		$(UV) pip compile --quiet --all-extras --python-version $$python --output-file build/resolved.txt --upgrade pyproject.toml >/dev/null; \
		echo "resolves: Python $$python, all extras, $$(grep -c == build/resolved.txt) packages"; \
	done
	@for platform in constraints/databricks-17.3:3.12 constraints/databricks-18:3.12 $(PYTHONS:%=constraints/emr-8:%); do \
		$(UV) pip compile --quiet --extra s3 --python-version $${platform#*:} --constraint $${platform%:*}.txt \
			--output-file build/resolved.txt --upgrade pyproject.toml >/dev/null; \
		echo "resolves: Python $${platform#*:} beside $${platform%:*}.txt"; \
	done

.PHONY: lock
lock: ## refresh requirements.lock (for every supported Python) around constraints/lock.txt
	$(UV) pip compile --quiet --all-extras --universal --python-version 3.11 --constraint constraints/lock.txt \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--upgrade --output-file requirements.lock pyproject.toml >/dev/null

.PHONY: clean
clean: ## remove what make and the tools made, .venv and demo-lake included
	rm -rf .venv build dist $(LAKE) *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf spark-warehouse metastore_db derby.log artifacts
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
