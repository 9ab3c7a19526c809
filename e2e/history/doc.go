// Package history records what clients asked of a cluster and what they were
// answered, and tells afterwards whether one broker that does one thing after
// the other could have answered so.
//
// The question is asked for each object by itself, which is what makes it quick:
// a process instance with its job ([Order]), what is published for a correlation
// key ([Inbox]), the versions of a process ([Versions]), the locks of a job
// ([Locks]). The first two are models for porcupine, a checker of
// linearizability; the others are sweeps in time.
//
// What a call's answer says is read as a careful client reads it ([Judge]). A call
// that was refused has had no effect; one of unknown outcome may have its effect
// at any later time or never: it counts as one that has not returned.
//
// What it refuses: to talk to a cluster, or to judge what it cannot decide. An
// object that takes too long is counted as undecided, never as right.
//
// Start reading at record.go, then order.go; mutate_test.go breaks a broker in
// every way that must be noticed.
package history
