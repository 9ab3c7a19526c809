// Package e2e tests grevy from outside: real processes on real disks and
// sockets, driven by gRPC clients, killed, cut off, robbed of their disks, and
// asked afterwards what became of everything that they had acknowledged.
//
//	go test ./e2e                     every test in a small size, a few minutes
//	GREVY_E2E_FULL=1 go test ./e2e    large sizes, such as a thousand deployments
//	go test -short ./e2e              nothing
//	GREVY_E2E_BINARY=/path go test    a program that is there instead of one built here
//
// Start reading at deployments_test.go, the simplest of them; ledger_test.go keeps
// the books that every test under load is judged by.
// Package cluster, below, runs the processes. The packages scenarios, answers and
// expressions ask recorded cases of a broker in their own process (embedded).
package e2e
