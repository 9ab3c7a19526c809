// Package actors is what all actors of grevy share: how they are supervised,
// their mailbox, and the messages that rooms which do not know each other send.
// The runtime is protoactor-go: systems, PIDs, contexts and life cycle messages
// are its own, so that the actors of an embedding program and those of the
// broker live together.
//
// What [Props] and [Spawn] add to it, because its defaults do otherwise:
//
//   - there is no last restart: the pause grows to a cap ([Backoff]). A partition
//     must not end for good because of ten bad minutes. The failed message is not
//     repeated; the rest of the mailbox stays;
//   - an actor may ask for its restart without a panic ([Fail]), and hears of a
//     panic of its own at once, not only after the pause ([Failer]);
//   - an actor may hear that its mailbox ran empty ([Idler]);
//   - what was asked of an actor that is gone, or whose mailbox is full, is handed
//     back ([Undelivered]) or answered as a dead letter; nothing that somebody
//     waits for is dropped in silence;
//   - a timer belongs to one incarnation ([After]);
//   - a panic while it stops or is restarted keeps an actor from neither.
//
// A restarted actor is a new value: no truth lives in an actor.
//
// Start reading at actor.go, then mailbox.go. messages.go and jobs.go list what
// an embedding program may send, outbox.go what the rooms say to each other;
// docs/adr/0016 says what was measured.
package actors
