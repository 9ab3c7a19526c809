// Package actors is what all actors of grevy share: the runtime that they live
// in, supervision, mailboxes with a bound, and the messages that rooms which
// do not know each other send.
//
// An actor is a value with a Receive method, called for one message at a time.
// Around it the runtime promises:
//
//   - a mailbox with a bound refuses ([System.TrySend]); it never blocks the
//     sender and never drops what it has taken: what an actor leaves unread when
//     it stops goes to [Props.Undelivered];
//   - a panic in Receive, or [Context.Fail], restarts the actor after a pause
//     that grows to a cap. There is no last restart: a partition must not end
//     for good because of ten bad minutes. The failed message is not repeated;
//     the rest of the mailbox stays;
//   - a restarted actor is a new value: no truth lives in an actor;
//   - children stop before their parent, and a watcher hears of the end.
//
// Vocabulary and shapes are those of protoactor-go (PID, Props, Context, Started,
// Terminated), which this package stands in for; docs/adr/0002 says why and what
// it would take to change places.
//
// Start reading at actor.go, then process.go. messages.go lists what the rooms
// say to each other and what an embedding program may send.
package actors
