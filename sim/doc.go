// Package sim runs a whole cluster in one goroutine, without a clock: several
// partitions with their replicas on several nodes, over logs that stand in for
// raft, and clients that keep books. Everything that happens is drawn from one
// seed, so the same seed gives the same run, byte for byte.
//
// What is simulated is only what surrounds grevy: time, turns, raft's log, the
// network, crashes. The code that decides is the real one: the leader
// (partitionactor.Driven), the state machine of a replica (raftadapter.Machine),
// the distributor with its saga (distributor.Carrier), the engine, the state.
//
// What must hold is checked while it runs (oracle.go: entries, keys, inboxes,
// replicas; books.go: what clients were told) and at the end, when everything
// has healed (finish.go). A mutation (mutate.go) breaks one safeguard; a test
// shows that some seed finds each of them.
//
// Start reading at world.go, then run.go. How to replay a seed:
// docs/testing.md.
package sim
