// Package saga is the pure half of the distributor: it decides which rows of a
// partition's outbox are sent to which partition, when they are sent again, and
// when they may be deleted. It has no clock, no network, no goroutine and no
// randomness of its own: the shell feeds events to [State.Step] and performs the
// actions that come back.
//
// The truth is the table. A [State] holds only what can be forgotten: who is
// being sent what. A new leader makes a new State from the rows it finds.
//
// Every [Channel] (target partition and lane) is on its own; trouble with one
// never delays another. A channel is in one of four states:
//
//	                 rows to send
//	       ┌─────────────────────────────┐
//	       │                             ▼          NeedBodies: deadline moves on
//	┌──────┴──────┐   all acked   ┌─────────────┐ ◄─┐
//	│    idle     │ ◄──────────── │   sending   │ ──┘
//	└─────────────┘               └──┬───┬──────┘
//	                   no answer:    │   │  ▲  ▲     Acked and more rows: next batch
//	                   send again    │   │  │  │
//	                         └───────┘   │  │  │ back-off is over, or News
//	      Unreachable, NotLeader, Failed,│  │  │
//	      Busy, contradiction            ▼  │  │
//	                              ┌─────────┴──┴┐
//	                              │   waiting   │
//	                              └─────────┬───┘
//	      NeedBase, Gap below the           │ (the same back-off)
//	      first row, receiver ahead         ▼
//	sending ───────────────────► ┌─────────────┐  Based{n}
//	                             │   basing    │ ─────────► sending from n+1
//	                             └─────────────┘
//
// Beside it, and never in its way, runs the deletion of acknowledged rows:
//
//	acked ── Delete ──► under way ── Deleted ──► gone
//	  ▲                     │
//	  └─ DeleteFailed, or nothing heard for Config.DeleteTimeout
//
// What holds at all times (the tests are built on these):
//
//   - a batch is the oldest unacknowledged rows, contiguous, at most one batch
//     per channel under way: a receiver cannot be flooded and rows cannot
//     overtake each other;
//   - a row is deleted only after the receiver's applied state has acknowledged
//     it, and only if somebody can have sent it;
//   - an acknowledgement is cumulative and counts however late it comes; every
//     other answer counts only for the attempt that is under way;
//   - a refused row is an acknowledged row with a reason, so nothing blocks a lane;
//   - every wait has an end: there is no last retry.
//
// What the shell owes it:
//
//   - Started has all rows of the table, RowsAdded follows a commit, in order;
//   - every Send and SendBase is resolved anew and, if it can be told, answered;
//     if not, the deadline does it;
//   - Acked, Gap and Based come from the receiver's applied state, for this
//     sender's epoch;
//   - every Delete ends in Deleted, in DeleteFailed, or with the leadership;
//   - News when a link comes up, a leader is known, a partition becomes active
//     or a peer asks. Lost news costs at most RetryMax, or AckTimeout for a batch
//     that was under way.
//
// What it refuses: it ignores an answer to an attempt it never made, and takes a
// receiver that acknowledges rows nobody sent for a receiver of another past, to
// be given a base.
//
// Start reading at event.go and action.go (the two lists), then saga.go (Step),
// answer.go (what each answer does), testdata/*.txt (what it looks like).
package saga
