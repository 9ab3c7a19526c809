// Package gateway speaks the client protocol: Zeebe 8.6 over gRPC in, typed
// commands out. It checks what can be checked without state, chooses the
// partition, hands the command to a [Broker] and turns the answer into a
// response or a status.
//
// What it holds: the service with its health and reflection beside it, the one
// table from rejections and refusals to statuses (errors.go), the routing, the
// long polls and the pushed streams of jobs. It keeps no state that a restart
// would lose.
//
// What it promises:
//
//   - UNAVAILABLE and RESOURCE_EXHAUSTED always mean that nothing was executed;
//     what may have been executed is DEADLINE_EXCEEDED. It never sends a command
//     again unless a refusal proves that the first try did nothing.
//   - A job is locked at its partition before it is sent. One that could not be
//     sent is handed back at once instead of waiting for its lock to run out.
//   - One call that panics is answered with INTERNAL and harms nothing else.
//
// What it refuses: to know who leads what, to read or write state, to decide
// anything the engine decides. It imports nothing of the broker but protocol;
// package grevy wires the two together. A method that is none of 8.6 is answered
// with UNIMPLEMENTED and its name.
//
// Start reading at broker.go and server.go; then service.go (what surrounds each
// call), routing.go, and for jobs activate.go (polling), line.go (who waits for
// jobs and how they are woken), push.go and group.go (streams).
package gateway
