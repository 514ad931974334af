# make test        everything that a change must pass (2 to 3 minutes on 2 cores where Go has test results, 6 where it has none)
# make test-real   what is slow or needs real parts
# make test-faults killed at every step, frozen replicas, a full disk (as root)
# make unit race unraced  the tests alone: those of the core, those of the shell with -race, and what of those runs without
# make fuzz        each fuzz target for FUZZ=5s
# make lint        golangci-lint with gofumpt, built into ./.bin
# make generate    documents and descriptions that are written from the code
# make build       a static binary, ./.bin/pilotgate
# make mutants     small changes of approval and ledger that no test notices, against tools/mutants/survivors.txt (ten minutes; MUTANTS="-match approval", "-part 1/4")
# make bench-intake  10,000 deliveries to a server, or to four on a cluster; whole pilots; GitHub at 50 ms
# make bench-api   requests to GitHub: one pull request's life, a second look, 50 identical events
# make accuracy    how well personal data is found, kind by kind
# make bench-dataset  how fast datasets are checked, against ripgrep and a JSON Schema library (SIZE=1073741824 bytes)
# make help        this list

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
GO    ?= go
BIN   := $(CURDIR)/.bin
FUZZ  ?= 5s
LINT  := $(BIN)/golangci-lint-2.15.0

# The shell runs goroutines, and so does the scan of a dataset.
RACE := ./internal/bytestore/... ./internal/dataset ./internal/demo/... ./internal/fakegithub/... ./internal/gh/... \
        ./internal/localgit/... ./internal/queue/... ./internal/reconcile/... ./internal/scan/... ./internal/server/... \
        ./internal/webhook/...

# Tests make garbage fast; collecting it less often is a fifth of their time.
COLLECT := GOGC=800 GOMEMLIMIT=1536MiB
# Debuggers' tables are left out, and `make vet` asks more than `go test` would.
QUICK   := -ldflags=-w -vet=off

.PHONY: help test test-real build static vet tidy generate generated unit race unraced fuzz lint clean

help:
	@sed -n 's/^# \(make\)/\1/p' Makefile

# Cheap first. The tests of the shell wait as long as they work, so the others
# run meanwhile; fuzzing has the cores for itself. What one says is shown when it ends.
test: static vet tidy generated
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=target race unraced unit lint
	@$(MAKE) --no-print-directory fuzz

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/pilotgate ./cmd/pilotgate

# Static: it runs in an image that holds nothing else.
static: build
	@if command -v file >/dev/null; then file $(BIN)/pilotgate | grep -q 'statically linked'; fi
	@$(GO) version -m $(BIN)/pilotgate | grep -q 'CGO_ENABLED=0'

vet:
	$(GO) vet ./...

tidy:
	$(GO) mod tidy -diff

generate:
	$(GO) generate ./...

# Generated files are what their generators write: generating changes nothing.
generated:
	@before=$$(git status --porcelain; git diff | git hash-object --stdin); \
	$(MAKE) --no-print-directory generate; \
	after=$$(git status --porcelain; git diff | git hash-object --stdin); \
	[ "$$before" = "$$after" ] || { echo "generated files were stale; commit them:"; git status --short; exit 1; }

unit:
	$(COLLECT) $(GO) test -p 2 $(QUICK) $$($(GO) list ./... | grep -vxFf <($(GO) list $(RACE)))

race:
	$(COLLECT) $(GO) test -p 3 -race $(QUICK) $(RACE)

unraced:
	$(COLLECT) GO=$(GO) .ci/unraced $(QUICK)

fuzz:
	.ci/fuzz $(FUZZ)

lint: $(LINT)
	$(LINT) run ./...

$(LINT):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	mv $(BIN)/golangci-lint $(LINT)

# Prometheus and Alertmanager with their tools, for the rules and the alerts.
PROMETHEUS := $(addprefix $(BIN)/,prometheus promtool alertmanager amtool)

# What GitHub would say of the ready-made workflows.
ACTIONLINT := $(BIN)/actionlint

test-real: $(PROMETHEUS) $(ACTIONLINT)
	PATH="$(BIN):$$PATH" GO=$(GO) .ci/real

$(PROMETHEUS) &:
	GO=$(GO) .ci/prometheus $(BIN)

$(ACTIONLINT):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) $(GO) install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: mutants
mutants:
	$(GO) -C tools/mutants test .
	$(GO) -C tools/mutants run . $(MUTANTS)

clean:
	rm -rf $(BIN)

# Each row of what must hold, by its name. FAULTS chooses, for example TestWhatMustHold/kill.
FAULTS ?= TestWhatMustHold|Disk
.PHONY: test-faults
test-faults: build $(BIN)/nats-server $(BIN)/toxiproxy
	.ci/faults
	$(GO) test -count=1 -tags faults -timeout 20m -parallel 8 -v -run '$(FAULTS)' ./internal/server/ ./internal/queue/durable/ | \
	  grep -E '^(    )?--- |^ok|^FAIL|^panic|NOT |^      '

.PHONY: bench-api
bench-api:
	$(GO) test -count=1 -v -run 'Requests|IdenticalEvents' ./internal/server/ | grep -v -E '^(=== |--- |\s+--- )'

# It prints each bar as met or not; BENCH chooses, for example Intake/embedded.
BENCH ?= Intake|Approvals
.PHONY: bench-intake
bench-intake: build $(BIN)/nats-server
	$(GO) test -count=1 -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 1h ./internal/server/ | grep -v -E '^(Benchmark|PASS|ok |goos|goarch|pkg|cpu)'

$(BIN)/nats-server:
	@mkdir -p $(BIN)
	GOBIN=$(BIN) $(GO) install github.com/nats-io/nats-server/v2@v2.15.2

$(BIN)/toxiproxy:
	@mkdir -p $(BIN)
	dir=$$(mktemp -d); GOBIN=$$dir $(GO) install github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0; mv $$dir/server $@; rmdir $$dir

# The labelled sets are made up from SEED; nobody is in them.
SEED ?= 1
.PHONY: accuracy
accuracy:
	$(GO) test -count=1 -v -run 'TestBars|TestForms' ./internal/dataset/accuracy -args -show -seed $(SEED) | grep -v -E '^(=== |--- |PASS|ok )'

# Each in turn in one run, medians, then the size from a hundredth to ten times
# it, then each stage in the form that benchstat reads. It needs 12 times SIZE
# on disk in FOLDER and two cores of its own.
SIZE   ?= 1073741824
ROUNDS ?= 5
FOLDER ?= $(BIN)/bench
.PHONY: bench-dataset
bench-dataset: $(BIN)/rg
	@mkdir -p $(FOLDER)
	PATH="$(BIN):$$PATH" $(GO) test -count=1 -v -timeout 2h -run 'SideBySide|Linear' ./internal/dataset/bench \
	  -args -compare -size $(SIZE) -rounds $(ROUNDS) -folder $(FOLDER) | grep -v -E '^(=== |--- |PASS|ok )'
	$(GO) test -count=6 -run '^$$' -bench Scan -benchtime 3x ./internal/dataset/bench | tee $(FOLDER)/stages.txt

# ripgrep out of Debian's package, unpacked and not installed.
$(BIN)/rg:
	@mkdir -p $(BIN)
	@set -e; if found=$$(command -v rg); then ln -sf "$$found" $@; else \
	  dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; apt-get update -qq >/dev/null; \
	  (cd "$$dir" && apt-get download -qq ripgrep >/dev/null && dpkg -x ripgrep_*.deb .); cp "$$dir/usr/bin/rg" $@; fi
