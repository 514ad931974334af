# make test        everything a change needs to pass (about 5 minutes on 2 cores)
# make test-real   what is slow or needs real parts
# make lint        golangci-lint with gofumpt, from ./.bin
# make generate    generated documents and descriptions
# make accuracy    precision and recall of the personal-data rules
# make help        this list

SHELL   := /bin/bash
GO      ?= go
BIN     := $(CURDIR)/.bin
FUZZ    ?= 5s
LINT    := $(BIN)/golangci-lint-2.15.0
RACE    := ./internal/gh/... ./internal/bytestore/... ./internal/scan/... ./internal/localgit/... ./internal/queue/... \
           ./internal/webhook/... ./internal/reconcile/... ./internal/server/... ./internal/dataset/... ./internal/fakegithub/...

.PHONY: test test-real lint vet unit race fuzz generated tidy build generate accuracy help clean

help:
	@sed -n 's/^# //p' Makefile

test: build vet lint tidy generated race unit fuzz

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/pilotgate ./cmd/pilotgate

vet:
	$(GO) vet ./...

unit:
	$(GO) test $$($(GO) list ./... | grep -v -E '$(shell echo $(RACE) | sed -E "s#\./internal/([a-z]+)/\.\.\.#internal/\1(/|$$)#g; s/ +/|/g")')

race:
	$(GO) test -race $(RACE)

# Each fuzz target for a short while, seeded by its own cases.
fuzz:
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -h -o '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/func //' | sort -u); do \
	    echo "fuzz $$pkg $$target"; $(GO) test ./$$pkg -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ) >/tmp/pilotgate-fuzz.$$$$ 2>&1 || { cat /tmp/pilotgate-fuzz.$$$$; rm -f /tmp/pilotgate-fuzz.$$$$; exit 1; }; rm -f /tmp/pilotgate-fuzz.$$$$; \
	  done; done

lint: $(LINT)
	$(LINT) run ./...

$(LINT):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	mv $(BIN)/golangci-lint $(LINT)

tidy:
	$(GO) mod tidy -diff

generate:
	$(GO) generate ./...

# Generated files are what their generators write.
generated: generate
	git diff --exit-code --stat -- docs config testdata internal

test-real:
	$(GO) test -tags real -timeout 20m ./...

clean:
	rm -rf $(BIN)
