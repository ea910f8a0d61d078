# `make test` installs what the tests need and runs them all; see CONTRIBUTING.md for the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test

# Where cargo itself would build, so that `cargo run` and the tests share one build.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
PYTHON ?= python3
VENV := $(CURDIR)/.venv
WHEELS := $(CARGO_TARGET_DIR)/wheels
BINARY := $(CARGO_TARGET_DIR)/debug/tablemill
SECONDS_EACH ?= 60
TARGET ?= decompress detect csv json arrow parquet orc excel sql written_arrow written_parquet \
	written_orc written_wrapping written_xlsx
MUTATIONS ?= 2000

.PHONY: test system venv check build rust docs wheel python clients fuzz mutations accept fixtures bench

test: check build rust docs python clients

# What a fresh machine lacks: a C compiler for the codecs, and venv for Python.
system:
	@if ! command -v cc >/dev/null || ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq build-essential python3-venv; \
		else \
			echo 'a C compiler and python3-venv are needed' >&2; exit 1; \
		fi; \
	fi

venv: system $(VENV)/.made

$(VENV)/.made: python/requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r python/requirements-dev.txt
	touch $@

# Clippy needs a build of its own kind (metadata only); it takes the same features.
check: system
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

build: system
	cargo build --workspace --all-targets --locked

rust: build
	if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace --locked; \
	else \
		cargo test --workspace --locked --lib --bins --test it; \
	fi
	cargo test --workspace --locked --doc

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

# The wheel of the tests comes out of the same build: the same profile, the same features. It is
# tested as installed: pytest by its own name leaves the folder beside the sources off the path.
wheel: venv build
	rm -rf $(WHEELS)
	cd python && $(VENV)/bin/maturin build --quiet --locked --profile dev --strip --out $(WHEELS) --interpreter $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps $(WHEELS)/*.whl

python: wheel
	TABLEMILL_BIN=$(BINARY) $(VENV)/bin/pytest -q -c python/pyproject.toml python/tests

clients: venv build
	TABLEMILL_BIN=$(BINARY) $(VENV)/bin/pytest -q -c python/pyproject.toml tests/clients

# Under a sanitizer, which wants one build of everything for itself. The stable compiler does it
# when it is told that it may. Seeds are the fixtures, and what is inside of their compressions.
fuzz:
	cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
	for target in $(TARGET); do \
		mkdir -p fuzz/corpus/$$target; \
		$(PYTHON) fuzz/seeds.py $$target fuzz/corpus/$$target; \
		words=fuzz/dictionaries/$${target#written_}.dict; \
		RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)-fuzz cargo fuzz run $$target -- \
			$$(test ! -e $$words || echo -dict=$$words) -detect_leaks=0 \
			-max_total_time=$(SECONDS_EACH) -rss_limit_mb=4096 -timeout=30 -max_len=65536 -print_final_stats=1; \
	done

# The mutation test with more seeds than `make test` takes: MUTATIONS=5000 make mutations.
mutations: build
	TABLEMILL_MUTATIONS=$(MUTATIONS) TABLEMILL_SEEDS=$(MUTATIONS) \
		cargo test --locked --test it -- --nocapture mutations:: boundaries::written_

# Takes the reports as they are now for right.
accept: build
	INSTA_UPDATE=always cargo test --test it fixtures::

# Makes the files in fixtures/ again; nothing changes unless a script did.
fixtures: venv
	$(VENV)/bin/python fixtures/make.py

bench:
	cargo bench
