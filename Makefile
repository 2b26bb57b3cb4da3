# make demo and make test are the two commands of README; the others are for who works on tenken.

GO        ?= go
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
BIN       := .bin
export CGO_ENABLED = 0

.PHONY: help build demo test soak generated check bench golden docs clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

build: ## the one static binary, .bin/tenken
	$(GO) build -o $(BIN)/tenken ./cmd/tenken

demo: build ## scan the demo company through the real SDK; needs no credential
	$(BIN)/tenken demo --out tenken-out

test: ## everything, in under 10 minutes
	$(GO) vet ./...
	$(GO) test ./...

soak: ## the full figures: 100,000 masks a rule, 200 kills …
	TENKEN_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run 'Soak' ./...

generated: docs ## formatting, and that generated files are those that are committed
	@test -z "$$(gofmt -l cmd scanners findings rules fixtures)" || { gofmt -l cmd scanners findings rules fixtures; exit 1; }
	$(GO) generate ./findings/inventory
	git -c safe.directory='*' diff --exit-code -- findings/inventory/kinds_gen.go rules/fields_gen.go docs

check: generated ## generated files, and lint
	GOBIN=$(CURDIR)/$(BIN) $(GO) install $(GOLANGCI)
	$(BIN)/golangci-lint run ./...

bench: ## ratios measured side by side
	$(GO) test -run '^$$' -bench 'Ratio' -benchtime 1x -timeout 60m ./...

golden: ## rewrite golden files and transcripts from what the program does now; read the diff
	TENKEN_GOLDEN=1 $(GO) test ./...

docs: build ## docs/ from the catalogue, the policy and the commands
	$(BIN)/tenken docs docs

clean: ## what make has built
	rm -rf $(BIN) tenken-out
