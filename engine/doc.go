// Package engine decides. [Engine.Execute] takes a partition's state and one
// command and returns the writes, the reply and the effects that follow; it
// performs none of them. It has no I/O, no clock and no randomness of its own:
// the time comes with the command.
//
// The leader alone executes; followers only write the bytes (architecture §2). So
// nothing here needs to be deterministic across versions, and a panic hits one
// command before it is in the log.
//
// Start reading at Execute in engine.go, then run.go (how the steps of one
// command follow each other), activate.go and terminate.go (the life of an
// element), event.go (events that happen at, in or behind an element). job.go,
// create.go, deploy.go and distribution.go hold one command family each;
// timer.go, throw.go, call.go, loop.go and gateway.go one kind of element each.
//
// An Engine belongs to one leadership and one goroutine. What it remembers
// between commands (parsed definitions, cursors) is derived from state and goes
// with it.
package engine
