// Package partitionactor is the actor that is a partition on this node.
//
// [Partition] owns the raft group and is always there. While this node leads the
// group it has one child, the leader; when leadership is lost the child is
// stopped, and when anything about a proposal is uncertain the child ends its
// own life and is started again by its supervisor, from applied state only
// (architecture §2):
//
//	follower ──won──► leader: opening ──Open applied──► serving
//	    ▲                 ▲                                │
//	    └──────lost───────┴──────── restart ◄──── failed, unknown, panic
//	halted: the disk refused a write; it is opened again when that works (halt.go)
//
// The [Gate] is the only way in: it refuses when there is no serving leader here
// or too much is under way, and that refusal proves that nothing was executed.
// What the leader takes from its mailbox is answered in one of three ways: from
// an applied entry, from state whose leadership was verified afterwards
// (replies.go), or as an unknown outcome.
//
// The leader itself knows no actor: seat.go gives it its turns, and so does a
// simulation (driven.go).
//
// Start reading at leader.go, then entry.go; the steps of a write are marked
// `path: write N/8`.
package partitionactor
