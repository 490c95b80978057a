# What CI does, by hand: `.ci/run` calls these targets. All tools are pinned in tools/go.mod.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# The Go that go.mod names, whichever is installed: what is tested, searched for vulnerabilities and shipped comes from
# one compiler. `make build GOTOOLCHAIN=local` takes the one that is there.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" {print $$2}' go.mod)

tool := go tool -modfile=tools/go.mod
proto := $(shell find proto -name '*.proto')

# The same commit gives the same bytes: no path of this machine, no C compiler of its, no flags of its user's.
build := CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=auto -o bin/ ./cmd/fluentcart-gateway

# How long `make fuzz` runs each target.
FUZZTIME ?= 60s
# The form of `make soak`: short takes four minutes, long half an hour.
SOAK ?= long
# The earlier state of the contract that `make breaking` compares with.
BASE ?=
# What `make load` sends, and where. Without ADDR it starts a sandbox of its own.
CALLS ?= 200
PARALLEL ?= 8
ADDR ?=
LOADFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build sbom reproducible vulncheck verify run test race lint fmt generate breaking bench fuzz soak load clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/fluentcart-gateway
	$(build)

sbom: build ## Write bin/fluentcart-gateway.cdx.json: what the binary is made of
	go -C tools run ./sbom ../bin/fluentcart-gateway ../bin/fluentcart-gateway.cdx.json

reproducible: ## Build the last commit in two directories and compare the bytes
	tools/reproducible

# Our code in both modules and the binary. The tools of others read nothing but this repository, and nobody ships them:
# what is found in them has to wait for their next release, and this does not.
vulncheck: build ## Look for known vulnerabilities in what is called, with the newest database
	go -C tools run ./vulncheck .. . ../bin/fluentcart-gateway

verify: ## Compare the modules on this machine with go.sum
	go mod verify
	go -C tools mod verify

run: ## Run against the built-in sandbox
	go run ./cmd/fluentcart-gateway --sandbox

test: ## Run all tests
	go test ./...
	go -C tools test ./...

race: ## Run all tests under the race detector, in random order
	go test -race -shuffle=on -count=1 ./...
	go -C tools test -race -shuffle=on -count=1 ./load # the only one of them that does two things at once

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
	$(build)
	bin/load -grpcurl bin/grpcurl -gateway bin/fluentcart-gateway -calls $(CALLS) -parallel $(PARALLEL) -addr '$(ADDR)' $(LOADFLAGS)

clean: ## Remove what was built and fetched
	rm -rf bin third_party
