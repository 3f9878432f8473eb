# What one types here. `make help` lists it; docs/development.md says more.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION)
ARGS    ?=

# One setting for the binary and the tests, so that both share the build cache.
# Only the race detector needs C.
export CGO_ENABLED := 0

# Folders in which things run side by side: tested under the race detector.
RACE  := act api auth guard lease live lnmarkets notify paper pay queue record run socketio watch
# Folders that test the product from outside. They drive a built binary, which
# the test cache does not see.
OUTER := e2e bench

MODULE   := github.com/vigiaguard/vigia
there     = $(foreach folder,$(wildcard $(1)),./$(folder)/...)
# Packages other than those of the given folders.
but       = $$($(GO) list ./... | grep -vE '^$(MODULE)/($(subst $(eval ) ,|,$(strip $(1))))(/|$$)')
# The race detector, where there is a C compiler; test-deps says so where not.
race      = $(if $(shell command -v $(firstword $(shell $(GO) env CC))),CGO_ENABLED=1 $(GO) test -race,$(GO) test)
go_files  = $$(git ls-files --cached --others --exclude-standard '*.go')
tree      = git ls-files --cached --others --exclude-standard -z | xargs -0 sha256sum 2>/dev/null || true

.PHONY: help
help: ## Lists what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Running

.PHONY: run
run: build ## Builds, starts and guards the demo account (ARGS="--listen :8080" adds flags)
	bin/vigia serve $(ARGS)

.PHONY: build
build: ## Builds bin/vigia
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/vigia ./cmd/vigia

##@ Testing

.PHONY: test
test: deps ## Installs what the tests need and runs them (15 min from a fresh clone, 5 warm)
	$(GO) vet ./...
	$(GO) test $(call but,$(RACE) $(OUTER))
	$(race) $(call there,$(RACE))
	$(GO) test -count=1 -timeout 12m $(call there,$(OUTER))
	@scripts/test-deps --say

.PHONY: test-all
test-all: deps lint ## Runs what test leaves out: the linter, long kills, soaks
	VIGIA_TEST_LONG=1 $(GO) test -count=1 -timeout 60m -run '^TestLong' ./...
	@scripts/test-deps --say

.PHONY: check
check: fmt-check lint ## The fast look before a commit: format, vet, lint, unit tests
	$(GO) vet ./...
	$(GO) test -short $(call but,$(OUTER))

.PHONY: lint
lint: .cache/tools/golangci-lint ## Runs the linter alone
	.cache/tools/golangci-lint run ./...

.PHONY: fuzz
fuzz: ## Runs every fuzz target for a while (FUZZTIME=2m)
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime "$${FUZZTIME:-2m}" $$package; \
	  done; \
	done

.PHONY: bench
bench: deps ## Measures, and prints a table with the machine
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(call there,bench)

.PHONY: deps
deps: ## Installs what the tests need, where that is possible
	@scripts/test-deps

##@ Keeping

.PHONY: generate
generate: .cache/tools/sqlc ## Writes the generated code again
	.cache/tools/sqlc generate --file record/sqlc.yaml
	$(GO) generate ./...

.PHONY: check-generated
check-generated: ## Fails when generated code is not what its sources say
	@before=$$($(tree)); $(MAKE) --no-print-directory generate; after=$$($(tree)); \
	  [ "$$before" = "$$after" ] || { \
	    echo "generated code was stale; it has been written again, commit it:" >&2; \
	    comm -13 <(sort <<<"$$before") <(sort <<<"$$after") | cut -c67- >&2; exit 1; }

.PHONY: fmt
fmt: ## Formats the Go code
	@gofmt -s -l -w $(go_files)

.PHONY: fmt-check
fmt-check:
	@unformatted=$$(gofmt -s -l $(go_files)); \
	  [ -z "$$unformatted" ] || { echo "make fmt would change:" >&2; echo "$$unformatted" >&2; exit 1; }

PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64

.PHONY: dist
dist: ## Builds static binaries for linux and macOS into dist/, with checksums
	@rm -rf dist && mkdir dist
	@for platform in $(PLATFORMS); do \
	  echo "dist/vigia-$$platform"; \
	  GOOS=$${platform%-*} GOARCH=$${platform#*-} \
	    $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/vigia-$$platform ./cmd/vigia; \
	done
	@cd dist && if command -v sha256sum >/dev/null; then sha256sum vigia-*; else shasum -a 256 vigia-*; fi | tee SHA256SUMS

.PHONY: clean
clean: ## Removes what was built, and keeps the tools
	rm -rf bin dist

# Each tool is a module of its own, pinned by its go.mod and go.sum.
.cache/tools/%: tools/%/go.mod tools/%/go.sum
	@echo "building $* (once)"
	@cd tools/$* && GOBIN=$(CURDIR)/.cache/tools $(GO) install -ldflags '-s -w' tool
	@touch $@
