# What CI does, by hand: `.ci/run` calls these targets. All tools are pinned in tools/go.mod.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

tool := go tool -modfile=tools/go.mod
proto := $(shell find proto -name '*.proto')

# How long `make fuzz` runs each target.
FUZZTIME ?= 60s
# The form of `make soak`: short takes three minutes, long half an hour.
SOAK ?= long
# The earlier state of the contract that `make breaking` compares with.
BASE ?=
# What `make load` sends, and where. Without ADDR it starts a sandbox of its own.
CALLS ?= 200
PARALLEL ?= 8
ADDR ?=
LOADFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build run test race lint fmt generate breaking bench fuzz soak load clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/fluentcart-gateway
	go build -trimpath -o bin/ ./cmd/fluentcart-gateway

run: ## Run against the built-in sandbox
	go run ./cmd/fluentcart-gateway --sandbox

test: ## Run all tests
	go test ./...
	go -C tools test ./...

race: ## Run all tests under the race detector, in random order
	go test -race -shuffle=on -count=1 ./...
	go -C tools test -race -shuffle=on -count=1 ./...

lint: third_party/.stamp ## Lint the code and the contract
	$(tool) golangci-lint run ./...
	cd tools && go tool golangci-lint run --config ../.golangci.yml ./...
	$(tool) buf lint
	$(tool) buf format --diff --exit-code proto

fmt: ## Format the code and the contract
	$(tool) golangci-lint fmt
	$(tool) buf format --write proto

generate: third_party/.stamp ## Write gen/ from proto/, and tidy the modules
	$(tool) buf generate
	go mod tidy
	go -C tools mod tidy

# The files that the contract imports, printed from the descriptors in pinned Go modules.
third_party/.stamp: tools/thirdparty/main.go tools/go.mod
	go -C tools run ./thirdparty ../third_party
	@touch $@

breaking: third_party/.stamp ## Compare the contract with an earlier state of it (BASE=<commit>)
	tools/breaking $(BASE)

bench: ## Measure one update through each door against a bare handler
	go test -run '^$$' -bench . -benchmem -count 6 ./service/server

fuzz: ## Run each fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
		done; \
	done

soak: ## Run storms, kills and overload against real processes and a real Redis (SOAK=short or long)
	SOAK=$(SOAK) go test -count=1 -timeout 60m -v ./cmd/fluentcart-gateway -run 'TestConcurrent|TestEveryClaim|TestStorm|TestKilled|TestRedis|TestTenThousand|TestMany|TestStore|TestRetries|TestDeadlines|TestFlood|TestRotated'

load: ## Send real grpcurl processes in parallel (CALLS, PARALLEL, ADDR)
	go -C tools build -o ../bin/ ./load github.com/fullstorydev/grpcurl/cmd/grpcurl
	go build -trimpath -o bin/ ./cmd/fluentcart-gateway
	bin/load -grpcurl bin/grpcurl -gateway bin/fluentcart-gateway -calls $(CALLS) -parallel $(PARALLEL) -addr '$(ADDR)' $(LOADFLAGS)

clean: ## Remove what was built and fetched
	rm -rf bin third_party
