# Two commands: `make run` shows Clauderon at work, `make test` proves it. Both install what is missing first.
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

run: ## install what is missing, build, and show one session at work (no account needed)
	@scripts/prepare run
	@scripts/build release
	@$(TARGET)/release/clauderon agents install
	@$(TARGET)/release/clauderon demo

build: ## the command line and what it needs beside it, optimised
	@scripts/prepare build
	@scripts/build release

test: ## prepare as above, start what tests need, run every check and every test
	@scripts/prepare test
	@scripts/check

bench: ## start-up and memory, side by side with the bare agent and a bare container
	@scripts/prepare test
	@scripts/build release
	@scripts/bench

image: build ## the default container image
	@$(TARGET)/release/clauderon image build

clean: ## delete what was built
	@cargo clean

.PHONY: help run build test bench image clean
