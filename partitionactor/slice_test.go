package partitionactor_test

import (
	"context"
	"testing"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
)

// rows are signals from another partition, which are always taken.
func rows(from, to uint64) *protocol.Receive {
	c := &protocol.Receive{Source: 2, Epoch: 7, Lane: protocol.LaneSignals}
	for seq := from; seq <= to; seq++ {
		c.Items = append(c.Items, protocol.Item{Seq: seq, Command: &protocol.BroadcastSignal{Name: "s", Variables: []byte("{}")}})
	}
	return c
}

// A large batch is taken in parts, with one answer; a repeat of it, or of an
// acknowledgement, a base or a pull, leads to no entry (Zeebe issues #9877, #29495: retries
// flooded the logs of other partitions).
func TestReceive_ALargeBatchAndRepeats(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	if got := n.must(rows(1, 100)).(*protocol.Received); got.UpTo != 100 || got.Gap || len(got.Refused) > 0 {
		t.Fatalf("%+v", got)
	}
	if got := n.must(rows(102, 150)).(*protocol.Received); got.UpTo != 100 || !got.Gap {
		t.Errorf("behind a hole: %+v", got)
	}
	part := rows(101, 140)
	part.Items[20].Seq = 1000
	if got := n.must(part).(*protocol.Received); got.UpTo != 120 || !got.Gap {
		t.Errorf("a hole inside of a batch: %+v", got)
	}
	base := &protocol.TakeBase{Source: 2, Epoch: 7, Lane: protocol.LaneMessages, UpTo: 5}
	n.must(base)
	before, _, _ := n.count.read()
	n.must(rows(1, 100))
	n.must(base)
	n.must(&protocol.Acknowledge{Acks: []protocol.Ack{{Target: 2, Lane: protocol.LaneSignals, UpTo: 9}}})
	n.must(&protocol.Pulled{Source: 2, Epoch: 7})
	n.must(&protocol.Reconcile{From: 2, Lanes: []protocol.LaneMark{{Lane: protocol.LaneSignals, Epoch: 1, Seq: 9}}})
	if after, _, _ := n.count.read(); after != before {
		t.Errorf("repeats have led to %d entries", after-before)
	}
}

// What a client asks for while a large batch is taken waits for one part of it: for
// its execution, and for an entry with no more of it.
func TestReceive_ClientsComeInBetween(t *testing.T) {
	s := newStage(t)
	s.commit(3, s.proposed[0])
	s.run()
	clients := 0
	done := false
	execute := func(what string, c protocol.Command) {
		s.driven.Execute(context.Background(), c, func(_ protocol.Reply, err error) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if what == "rows" {
				done = true
			} else {
				clients++
			}
		})
	}
	execute("rows", rows(1, 160))
	entries := 0
	for ; entries < 100 && !done; entries++ {
		execute("client", &protocol.PublishMessage{Name: "m", TimeToLive: 60_000})
		s.run()
		if next := 1 + entries; len(s.proposed) != next+1 {
			t.Fatalf("%d entries are proposed, %d applied", len(s.proposed)-1, entries)
		}
		s.commit(3, s.proposed[1+entries])
		s.run()
		if clients < entries { // each waits for the entry under way and for its own
			t.Errorf("%d entries are applied, only %d clients are answered", entries+1, clients)
		}
	}
	if entries < 10 || entries > 21 {
		t.Errorf("160 rows went into %d entries", entries)
	}
}

// A leader that ends answers for a batch once, however much of it was taken.
func TestReceive_EndInBetween(t *testing.T) {
	for taken := range 4 {
		s := newStage(t)
		s.commit(3, s.proposed[0])
		s.run()
		var answers []error
		s.driven.Execute(context.Background(), rows(1, 160), func(_ protocol.Reply, err error) { answers = append(answers, err) })
		for i := range taken {
			s.run()
			s.commit(3, s.proposed[1+i])
		}
		s.run()
		s.driven.Stop()
		if len(answers) != 1 || answers[0] == nil {
			t.Errorf("%d parts were applied: answers %v", taken, answers)
		}
	}
}
