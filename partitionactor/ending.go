package partitionactor

import (
	"errors"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// end finishes this life: what is uncertain is said to be, and the supervisor
// starts the next one from applied state.
func (l *leader) end(reason error) {
	if l.ended {
		return
	}
	l.p.Log.Info("this leadership ends, the next begins from applied state", "term", l.term, "reason", reason)
	l.close(reason)
	l.host.Fail(reason)
}

// close answers everybody who still waits. Only what was proposed is unknown:
// the rest has certainly never been executed.
func (l *leader) close(reason error) {
	if l.ended {
		return
	}
	l.ended = true
	l.host.Ended()
	refusal := protocol.Refuse(protocol.NotLeader, l.p.Partition, "%s", errStopped)
	unknown := fmt.Errorf("%w: partition %d lost its leader before the command was confirmed", protocol.ErrOutcomeUnknown, l.p.Partition)
	sure := errors.Is(reason, raftadapter.ErrNotProposed) && len(l.flying) == 1
	for _, e := range l.flying {
		if sure {
			e.fail(refusal)
		} else {
			e.fail(unknown)
		}
	}
	for _, e := range l.closed {
		e.fail(refusal)
	}
	l.packing.fail(refusal)
	l.reads.fail(refusal)
	l.rows.fail(refusal)
	l.unsure.fail(refusal)
	for _, waiting := range l.parked {
		for _, r := range waiting {
			r.done(nil, refusal)
		}
	}
	l.pulls.fail(refusal)
	for _, b := range l.behind {
		b.r.done(nil, refusal)
	}
	l.failPostponed(refusal)
	for _, r := range l.awaiting {
		if l.unproposed(r, sure) {
			r.done(nil, refusal)
		} else {
			r.done(nil, unknown)
		}
	}
	if l.over != nil {
		l.over.Base().Close()
	}
}

// unproposed tells of a request that awaits a result whether the instance it
// makes has certainly never left this leader. sure says so of what flies.
func (l *leader) unproposed(r *request, sure bool) bool {
	entries := append([]*entry{&l.packing}, l.closed...)
	if sure {
		entries = append(entries, l.flying...)
	}
	for _, e := range entries {
		for i := range e.results {
			if e.results[i].r == r {
				return true
			}
		}
	}
	return false
}
