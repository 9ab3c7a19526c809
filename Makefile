.PHONY: check quick test race e2e e2e-full bench fuzz

check: ; .ci/run
quick: ; .ci/run quick
test: ; go test ./...
race: ; go test -race -short . ./actors/... ./partitionactor/... ./distributor/... ./remote/... ./raftadapter/... ./gateway/...
e2e: ; go test -count=1 -v ./e2e
e2e-full: ; GREVY_E2E_FULL=1 go test -count=1 -v -timeout 60m ./e2e
bench: ; go test -run '^$$' -bench . ./...
fuzz: ; for f in $$(grep -rho --include=*_test.go '^func Fuzz[A-Za-z]*' . | cut -c6- | sort -u); do for d in $$(grep -rl --include=*_test.go "^func $$f(" . | xargs -n1 dirname); do go test -run '^$$' -fuzz "^$$f$$" -fuzztime 60s $$d || exit 1; done; done
