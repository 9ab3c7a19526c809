// Package cluster knows how a cluster is laid out and how that is changed: which
// nodes there are, which of them keep which partition, and the steps from one
// layout to another. It is pure: a [Plan] and a [Request] in, [Step]s out; no I/O,
// no clock. Who carries steps out stands in package grevy (driver.go, reconcile.go).
//
// A plan is versioned state of partition 1 (protocol.WritePlan). At most one
// operation is under way in it, and at most one step of that. A step begins when
// its layout stands in the plan; whoever leads a partition makes raft follow, and
// once that is seen the next step is written down. So nothing is lost with the
// node that carries an operation out: the next one reads where it is.
//
// It refuses what would leave a partition without a majority of nodes that are
// there, and a second operation beside one that is under way.
//
// Start at [Plan.Begin].
package cluster
