# The targets that `.ci/run` calls. All tools are pinned in tools/go.mod.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Use the Go version of go.mod, whichever is installed: the binary that is tested, searched for vulnerabilities and shipped
# comes from one compiler. `make build GOTOOLCHAIN=local` uses the installed one.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" {print $$2}' go.mod)

tool := go tool -modfile=tools/go.mod
proto := $(shell find proto -name '*.proto')

# Builds are reproducible: the binary does not depend on paths, the C compiler or the Go flags of this machine.
build := CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=auto -o bin/ ./cmd/fluentcart-gateway

# How long `make fuzz` runs each target.
FUZZTIME ?= 60s
# The form of `make soak`: short takes three minutes, long half an hour.
SOAK ?= long
# The earlier state of the API definition that `make breaking` compares with.
BASE ?=
# The calls of `make load`, in each of the modes, and their gateway. Without ADDR it starts one with a sandbox store; with it,
# CUSTOMERS are the customers whose notes are overwritten. LOADFLAGS are further flags of tools/load.
ADDR ?=
CUSTOMERS ?=
MODE ?= $(if $(ADDR),grpc,grpc http grpcurl)
COMPANION ?= $(if $(ADDR),false,false true)
CALLS ?=
PARALLEL ?=
LOADFLAGS ?=
# The version of `make image` and `make release`, such as v0.1.0. The image: its base in a registry in place of the built-in one,
# and the repository to send it to. The release: its platforms, such as linux/amd64,darwin/arm64, and whether it may be without a tag.
VERSION ?=
BASE_IMAGE ?=
PUSH ?=
PLATFORMS ?=
UNTAGGED ?=
# Further flags of `make bench`, such as -quick.
BENCHFLAGS ?=
# The linters that would also go through all dependencies of a module. Those of tools/kubernetes take them a minute.
deep := staticcheck,govet,unused,contextcheck,unparam,nilerr,bodyclose,fatcontext,gosec

.DEFAULT_GOAL := help
.PHONY: help build sbom image release reproducible vulncheck verify run test race kubernetes lint words fmt generate protos clients breaking bench fuzz soak load openapi alerts companion clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/fluentcart-gateway
	$(build)

sbom: build ## Write bin/fluentcart-gateway.cdx.json and .spdx.json, the lists of what the binary consists of
	go -C tools run ./sbom ../bin/fluentcart-gateway ../bin/fluentcart-gateway.cdx.json ../bin/fluentcart-gateway.spdx.json

image: ## Write bin/fluentcart-gateway-image.tar, an OCI archive for amd64 and arm64, by ko (VERSION, BASE_IMAGE, PUSH)
	@mkdir -p bin
	go -C tools/image run . $(if $(VERSION),-version '$(VERSION)') $(if $(BASE_IMAGE),-base '$(BASE_IMAGE)') $(if $(PUSH),-push '$(PUSH)') ../../bin/fluentcart-gateway-image.tar

release: ## Write bin/release, all files of a release (VERSION=v0.1.0; PLATFORMS, UNTAGGED=1 without a tag)
	go -C tools run ./release $(if $(PLATFORMS),-platforms '$(PLATFORMS)') $(if $(UNTAGGED),-untagged) .. '$(VERSION)'

reproducible: ## Build the last commit in two directories and compare the bytes
	tools/reproducible

# Search our code in both modules, and the binary. The tools of tools/go.mod are not searched: they read only this
# repository and are not shipped, and a fix would have to wait for their next release.
vulncheck: build ## Search the called code for known vulnerabilities, with the newest database
	go -C tools run ./vulncheck .. . ../bin/fluentcart-gateway

verify: ## Compare the downloaded modules with go.sum
	go mod verify
	go -C gen mod verify
	go -C client mod verify
	go -C examples/go mod verify
	go -C tools mod verify
	go -C tools/kubernetes mod verify
	go -C tools/image mod verify
	go -C tools/workflows mod verify

run: ## Run against the built-in sandbox store
	go run ./cmd/fluentcart-gateway --sandbox

test: ## Run all tests
	go test ./...
	go -C client test ./...
	go -C tools test ./...
	go -C tools/image test ./...
	go -C tools/workflows test ./...

# Without go vet: `make test` and `make lint` run it, and here it would go through all dependencies again.
race := CGO_ENABLED=1 SOAK= go

race: ## Run all tests but the long ones under the race detector, in random order
	$(race) test -vet=off -race -shuffle=on -count=1 ./service/server ./cmd/fluentcart-gateway/e2e ./... # the longest first
	$(race) -C client test -vet=off -race -shuffle=on -count=1 ./...
	$(race) -C tools test -vet=off -race -shuffle=on -count=1 ./load # the only concurrent one

# Without go vet, which would go through the types of Kubernetes. The containers wait more than they work, so they run side by side.
kubernetes: ## Build the overlays of deploy/kubernetes, check them against the API's types and the flags, and start their containers
	go -C tools/kubernetes test -count=1 -vet=off -parallel 8 ./...

lint: words third_party/.stamp ## Lint the words, the code and the API definition
	$(tool) golangci-lint run ./...
	cd tools && go tool golangci-lint run --config ../.golangci.yml ./...
	cd tools/workflows && go tool -modfile=../go.mod golangci-lint run --config ../../.golangci.yml ./...
	cd tools/image && go tool -modfile=../go.mod golangci-lint run --config ../../.golangci.yml ./...
	cd client && go tool -modfile=../tools/go.mod golangci-lint run --config ../.golangci.yml ./...
	cd examples/go && go tool -modfile=../../tools/go.mod golangci-lint run --config ../../.golangci.yml ./...
	cd tools/kubernetes && go tool -modfile=../go.mod golangci-lint run --config ../../.golangci.yml --disable=$(deep) ./...
	go tool -modfile=tools/workflows/go.mod actionlint
	$(tool) buf lint
	$(tool) buf format --diff --exit-code proto

words: ## Find words that the glossary has replaced
	go -C tools run ./words ..

fmt: ## Format the code and the API definition
	$(tool) golangci-lint fmt
	$(tool) buf format --write proto

generate: third_party/.stamp ## Write gen/ from proto/, and tidy the modules
	$(tool) buf generate
	go -C tools run ./openapi ../gen/openapi
	tools/genmodule
	go -C client mod tidy
	go -C examples/go mod tidy
	go mod tidy
	go -C tools mod tidy
	go -C tools/kubernetes mod tidy
	go -C tools/image mod tidy
	go -C tools/workflows mod tidy

protos: ## Write bin/fluentcart-gateway-protos, and its archive, for clients in any language
	go -C tools run ./protos ../proto ../bin/fluentcart-gateway-protos

clients: ## Install what the examples and the tests of clients in Node need, as lock files pin it
	cd cmd/fluentcart-gateway/e2e/testdata/clients && npm ci
	cd examples && npm ci

# The files that the API definition imports, printed from the descriptors in pinned Go modules.
third_party/.stamp: tools/thirdparty/main.go tools/go.mod
	go -C tools run ./thirdparty ../third_party
	@touch $@

breaking: third_party/.stamp ## Compare the API definition with an earlier state (BASE=<commit>)
	tools/breaking $(BASE)

bench: build ## Compare the CPU time of an update with that of code written by hand, in processes of their own (BENCHFLAGS)
	go -C tools build -o ../bin/ ./bench
	bin/bench -gateway bin/fluentcart-gateway -write docs/benchmarks.md $(BENCHFLAGS)

fuzz: ## Run each fuzz target for FUZZTIME
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd service | sed 's/:func / /' | while read -r file target; do \
		echo "== $$(dirname "$$file") $$target"; \
		go test -vet=off -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")" </dev/null; \
	done

# `make test` has run the others.
soak: ## Run the long tests of real processes: storms, kills, overload, floods (SOAK=short or long)
	@tests=$$(awk -F '[ (]' '/^func Test/ {test = $$2} /(soaking|stormTime)\(t\)/ {print test; found = 1} END {exit !found}' cmd/fluentcart-gateway/e2e/*_test.go | paste -sd '|'); \
		SOAK=$(SOAK) go test -count=1 -timeout 60m -v -run "^($$tests)$$" ./cmd/fluentcart-gateway/e2e

load: ## Measure the gateway with clients in one process, and as grpcurl in parallel (MODE, COMPANION, CALLS, PARALLEL, ADDR, CUSTOMERS)
	go -C tools build -o ../bin/ ./load github.com/fullstorydev/grpcurl/cmd/grpcurl
	$(build)
	@for mode in $(MODE); do for companion in $(COMPANION); do \
		echo "== $$mode, companion: $$companion"; \
		bin/load -mode "$$mode" -store-companion="$$companion" -grpcurl bin/grpcurl -gateway bin/fluentcart-gateway \
			$(if $(CALLS),-calls '$(CALLS)') $(if $(PARALLEL),-parallel '$(PARALLEL)') \
			$(if $(ADDR),-addr '$(ADDR)') $(if $(CUSTOMERS),-customers '$(CUSTOMERS)') $(LOADFLAGS); \
	done; done

openapi: build ## Lint the OpenAPI document, and call a sandbox gateway as it says, with tools from npm
	tools/openapi/check bin/fluentcart-gateway

alerts: ## Check the alert rules, and test when they fire, with promtool (Debian: prometheus)
	promtool check rules --lint=all --lint-fatal deploy/prometheus/alerts.yaml
	promtool test rules deploy/prometheus/alerts_test.yaml

companion: ## Test the WordPress companion in a real WordPress (Debian: wordpress mariadb-server php-cli php-mysql)
	go -C tools test -vet=off -count=1 ./companion

clean: ## Remove built and downloaded files
	rm -rf bin third_party cmd/fluentcart-gateway/e2e/testdata/clients/node_modules examples/node_modules tools/openapi/node_modules
