# Each target makes or reuses .venv and installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)
THREADS := OMP_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help demo sites-demo test lint docs bench dials findings findings-all strategies speed examples clean

help:
	@echo "make demo      federate nine towns' house prices and print the comparison"
	@echo "make sites-demo  fit over three sites with TLS and keys, and compare with one process"
	@echo "make test      run the whole test suite"
	@echo "make lint      ruff and mypy"
	@echo "make examples  run every script in examples/"
	@echo "make docs      build the documentation in docs/_build/html"
	@echo "make bench     measure alignment on partial digits"
	@echo "make dials     measure a few kinds of heterogeneity"
	@echo "make findings  measure all of them, for an hour, and write the page's tables"
	@echo "make findings-all  the same with every aligner and personalizer on some cells"
	@echo "make strategies  measure all strategies, for an hour, and write their page's tables"
	@echo "make speed     time a round, beside other libraries, and write its page's tables"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch comes first and by its exact version, so that no other build is drawn in
define installed
$(VENV)/.installed-$(1): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[$(1)]"
	touch $$@
endef
$(foreach extra,datasets flower plot test docs dev,$(eval $(call installed,$(extra))))

demo: $(VENV)/.installed-datasets $(VENV)/.installed-plot
	MPLBACKEND=agg $(THREADS) $(BIN)/python examples/plot_house_prices.py

sites-demo: $(VENV)/.installed-flower
	$(THREADS) $(BIN)/python -m examples.sites.three_hospitals

test: $(VENV)/.installed-test
	$(THREADS) $(BIN)/python -m pytest -q -n 2 --dist worksteal

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

examples: $(VENV)/.installed-test
	set -e; for f in examples/plot_*.py; do echo "== $$f"; \
		MPLBACKEND=agg $(THREADS) $(BIN)/python -W error "$$f"; done

docs: $(VENV)/.installed-docs
	cd docs && MPLBACKEND=agg $(THREADS) ../$(BIN)/python -m sphinx -q -W --keep-going -b html . _build/html

bench: $(VENV)/.installed-datasets
	$(THREADS) $(BIN)/python -m benchmarks.partial_digits

dials: $(VENV)/.installed-datasets $(VENV)/.installed-plot
	$(THREADS) $(BIN)/python -m benchmarks.heterogeneity --quick

findings-all: METHODS = --methods all --minutes 120
findings-all: findings

findings: $(VENV)/.installed-datasets $(VENV)/.installed-plot
	$(THREADS) $(BIN)/python -m benchmarks.heterogeneity $(METHODS) --csv benchmarks/results/dials.csv \
		--resume --findings docs/findings

strategies: $(VENV)/.installed-datasets
	$(THREADS) $(BIN)/python -m benchmarks.strategies --csv docs/findings/strategies.csv
	$(THREADS) $(BIN)/python -m benchmarks.faulty --csv docs/findings/faulty.csv

# other libraries bring many packages, which the tests should not see
$(BENCH)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet $(TORCH)
	$(BENCH)/bin/python -m pip install --quiet -c constraints.txt \
		-e ".[bench,bench-flower]"
	touch $@

speed: $(BENCH)/.installed
	$(THREADS) $(BENCH)/bin/python -m benchmarks.speed --scaling --peers --csv docs/findings

clean:
	rm -rf $(VENV) $(BENCH) docs/_build docs/auto_examples docs/generated
