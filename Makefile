.PHONY: check quick test race e2e e2e-full bench fuzz

check: ; .ci/run
quick: ; .ci/run quick
test: ; go test ./...
race: ; .ci/run race
e2e: ; go test -count=1 -v ./e2e
e2e-full: ; GREVY_E2E_FULL=1 go test -count=1 -v -timeout 60m ./e2e
bench: ; go test -run '^$$' -bench . ./...
fuzz: ; .ci/fuzz 60s
