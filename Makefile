.PHONY: check quick test race e2e e2e-full chaos bench fuzz

check: ; .ci/run
quick: ; .ci/run quick
test: ; go test ./...
race: ; .ci/run race
e2e: ; go test -count=1 -v ./e2e
e2e-full: ; GREVY_E2E_FULL=1 go test -count=1 -v -timeout 60m ./e2e
# make chaos DURATION=1h SEED=7 NODES=5; without SEED it draws one and tells it
DURATION ?= 10m
SEED ?= 0
NODES ?= 3
chaos: ; go test -count=1 -v -timeout 0 ./e2e/chaos -run 'TestChaos$$' -duration $(DURATION) -seed $(SEED) -nodes $(NODES)
bench: ; go test -run '^$$' -bench . ./...
fuzz: ; .ci/fuzz 60s
