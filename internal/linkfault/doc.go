// Package linkfault is the fault switch of the tests: it cuts, delays, slows down
// and resets what one node sends to another, per pair of nodes, direction and
// port, and sets clocks, in a running process, without help from the operating
// system.
//
// Every connection and packet between nodes passes through it (remote, raft
// and gossip; dialled and accepted). It is installed only where the environment
// variable GREVY_FAULTS names a file of rules ([FromEnv]); everywhere else the
// [*Switch] is nil, and a nil Switch hands back what it is given.
//
// An accepted connection does not tell whose it is. Every connection between
// nodes therefore begins with a preamble ([WritePreamble], [ReadPreamble]), with
// or without a switch; its bytes are in docs/formats/preamble.md.
//
// What it refuses: to repair a stream. A connection that lost bytes under a drop
// rule is closed when the rule goes away, never resumed with a hole in it.
//
// Start reading at rules.go, then switch.go and conn.go.
package linkfault
