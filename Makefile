# Two commands: `make run` opens the window, `make test` proves that it works. Both install what is missing first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# CI keeps one target directory for all its steps, outside the checkout; a person keeps Cargo's usual one.
ifneq ($(CI),)
export CARGO_TARGET_DIR ?= $(HOME)/.cache/clauderon/target
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: ## install what is missing, build, and open the window
	@scripts/prepare run
	@scripts/build release
	@scripts/build-window release
	@scripts/run $(TARGET)/release

demo: ## install what is missing, build, and show one session at work in this terminal (no account needed)
	@scripts/prepare build
	@scripts/build release
	@$(TARGET)/release/clauderon agents install
	@$(TARGET)/release/clauderon demo

deb: ## the Debian package of the app, in target/release/bundle/deb
	@scripts/prepare run
	@scripts/bundle release

test-deb: ## the built Debian package, installed, tried out and purged in a throw-away copy of this system (root)
	@scripts/prepare test
	@scripts/test-deb

build: ## the command line and what it needs beside it, optimised
	@scripts/prepare build
	@scripts/build release

test: ## prepare as above, start what tests need, run every check and every test
	@scripts/prepare test
	@scripts/check

prove: ## take each security control out of a copy of the code, and require that its test then fails (about a quarter of an hour)
	@scripts/prepare test
	@scripts/prove

types: ## the window's TypeScript types, from the API's own
	@cargo run -q -p clauderon-api --features typescript --example typescript > ui/src/api/types.ts

screenshots: ## the README's pictures, and every screen in three themes and two sizes, from real runs
	@scripts/prepare test
	@scripts/screenshots

bench-ui: ## the real window: start, key to frame, throughput, stalls, a long history, memory; and its page alone
	@scripts/prepare test
	@scripts/build release
	@scripts/build-window release
	@scripts/bench window

bench: ## start-up and memory beside the bare agent and a bare container; what the tap adds to a stream
	@scripts/prepare test
	@scripts/build release
	@scripts/bench start
	@cargo bench -q -p clauderon-proxy --bench tap

image: build ## the default container image
	@$(TARGET)/release/clauderon image build

clean: ## delete what was built
	@cargo clean

.PHONY: help run demo deb test-deb build test prove types screenshots bench bench-ui image clean
