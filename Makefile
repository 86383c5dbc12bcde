# What a developer does here; `make` alone lists it. Every target installs what it needs.

TARGET := $(or $(CARGO_TARGET_DIR),target)
LOCAL := $(TARGET)/local
STACK := $(TARGET)/debug/local-stack

.DEFAULT_GOAL := help
.PHONY: help build image try-pipeline run recover local clean-state check test test-long generate prepare manifests-config bench

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build task-app, the one binary that ships, with its debug symbols in a file beside it
	@SQLX_OFFLINE=true cargo build --release --locked --package task-app
	@functions/task-app/strip $(TARGET)/release/task-app

image: build ## Build the image of what ships, and enter it: with docker, or with buildah as root
	@.ci/image

try-pipeline: build ## Go the way of a release on this machine: image, digest, overlay, functions, a command
	@.ci/try-pipeline

run: local ## Start everything on this machine; ARGS="--workers 3", or ARGS=--help for every option
	@$(LOCAL)/local-stack run --bin-dir $(LOCAL) $(ARGS)

local:
	@SQLX_OFFLINE=true cargo build --profile local --locked --package task-app --package local-stack \
		--bin task-app --bin local-stack

recover: ## Destroy a database under load, restore it from a backup, and see that nothing is lost or doubled
	@cargo nextest run --cargo-quiet --locked --workspace --no-run
	@$(STACK) exec -- cargo nextest run --locked --workspace --no-capture \
		-E 'test(a_destroyed_database_comes_back_and_nothing_is_doubled)'

clean-state: local ## Remove the tasks, messages, logs and secrets of `make run`
	@$(LOCAL)/local-stack clean $(ARGS)

check: ## Check format and lints, and run the tests that need no servers: for each change
	@.ci/tools
	@.ci/lint
	@# Nothing is compiled twice: integration-tests gives the dependencies no features of its own.
	@cargo nextest run --locked --workspace --exclude integration-tests --profile check

test: ## Check and test everything, as the gate does
	@.ci/test

test-long: ## Test what takes too long for every change: lists of a million tasks, thousands of requests, a minute of outages
	@.ci/tools --long
	@cargo nextest run --cargo-quiet --locked --workspace --no-run
	@$(STACK) exec -- cargo nextest run --locked --workspace \
		-E 'package(store) | package(integration-tests)' --run-ignored only --success-output final

bench: build ## Measure what ships beside what is known to be fast (seven minutes after the build); ARGS=--full for two and a half hours, ARGS=--only=reads,writes for parts
	@.ci/tools --bench
	@.ci/bench $(ARGS)

generate: ## Renew the contracts: events/schemas, events/asyncapi.yaml, shared/http-support/openapi.json, docs/problems.md, docs/metrics.md
	@cargo run --quiet --locked --package generate

prepare: ## Renew the descriptions of the SQL queries (shared/store/.sqlx)
	@# With the one that is there: it contains `store`, which does not build before this was done.
	@[ -x $(STACK) ] || cargo build --quiet --locked --package local-stack
	@$(STACK) exec -- shared/store/prepare

manifests-config: ## Write what a deployed account hands over into manifests/overlays/ENV: ENV=dev or production
	@npm run --silent --prefix cdk manifests-config -- --environment "$(ENV)"
