// Package raftadapter is the only code that knows hashicorp/raft. It gives each
// partition a replicated, durable sequence of entries and applies them to the
// node's store.
//
// A [Node] is what the groups of one process share: the store, the listener for
// raft traffic, the identity. A [Group] is one partition's raft on this node.
//
// What it promises to the rooms above:
//
//   - an entry is applied once, in order, and only if it passes the guard
//     (fsm.go; architecture §2): its writes, the applied index and the guard stand in
//     one transaction;
//   - one message per applied batch goes to the group's [Listener];
//   - a failed proposal says whether it was certainly not proposed
//     ([ErrNotProposed]) or may yet be applied ([ErrUnknown]);
//   - the log is never truncated beyond what the store would still have after
//     a loss of power (snapshot.go, logstore.go);
//   - a snapshot costs nothing to take; it is streamed from the store when a
//     follower needs it, and becomes visible there all at once (install.go).
//
// Start reading at group.go, then fsm.go.
package raftadapter
