// Package cluster runs real grevy processes for tests: it starts them, kills
// them, cuts the links between them, and talks to them as clients do.
//
// A test makes a [Cluster] with [New], which is ended with the test. Everything
// a node keeps or logs is below the test's temporary directory; the logs are
// printed if the test has failed. Nothing here sleeps: what takes time is waited
// for by a condition with a deadline ([Until]).
//
// What it refuses: to look into a node. It knows what a client, an operator or
// an operating system could know.
//
// Start reading at cluster.go; node.go is one process, faults.go the cut links,
// client.go what clients see, ports.go how clusters beside each other keep apart.
package cluster
