package partitionactor_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

// answered is what a command on a stage was answered, in order.
type answered struct {
	name  string
	reply protocol.Reply
	err   error
}

// open is a stage whose leader serves.
func open(t *testing.T) *stage {
	s := newStage(t)
	s.settle()
	if !s.serving {
		t.Fatal("the leader has not opened")
	}
	return s
}

// settle lets everything happen that is under way: entries are committed, leadership
// is verified.
func (s *stage) settle() {
	for {
		s.run()
		switch {
		case len(s.proposed) > s.settled:
			s.settled++
			s.commit(s.term, s.proposed[s.settled-1])
		case len(s.verify) > 0:
			list := s.verify
			s.verify = nil
			for _, done := range list {
				done(nil)
			}
		default:
			return
		}
	}
}

func (s *stage) ask(to *[]answered, name string, c protocol.Command) {
	s.driven.Execute(context.Background(), c, func(reply protocol.Reply, err error) { *to = append(*to, answered{name, reply, err}) })
	s.settle()
}

func names(list []answered) (out []string) {
	for _, a := range list {
		out = append(out, a.name)
	}
	return out
}

func row(seq uint64) *protocol.Receive {
	return &protocol.Receive{Source: 2, Epoch: 5, Lane: protocol.LaneMessages, Items: []protocol.Item{{Seq: seq, Command: &protocol.CloseSubscription{}}}}
}

// TestHold: what other partitions send waits while a partition holds, what clients
// ask for does not, and a cut is only made while it holds.
func TestHold(t *testing.T) {
	s := open(t)
	var got []answered
	s.ask(&got, "early cut", &protocol.Cut{Token: 7})
	s.ask(&got, "hold", &protocol.Hold{Token: 7, For: 1000})
	s.ask(&got, "row 1", row(1))
	s.ask(&got, "row 2", row(2))
	s.ask(&got, "client", &protocol.CompleteJob{JobKey: protocol.NewKey(1, 5)})
	s.ask(&got, "other cut", &protocol.Cut{Token: 8})
	s.ask(&got, "cut", &protocol.Cut{Token: 7})
	s.ask(&got, "end of another hold", &protocol.Hold{Token: 8})
	before := len(got)
	s.ask(&got, "end", &protocol.Hold{Token: 7})
	s.ask(&got, "late cut", &protocol.Cut{Token: 7})
	want := []string{"early cut", "hold", "client", "other cut", "cut", "end of another hold"}
	if g := names(got[:before]); !slices.Equal(g, want) {
		t.Errorf("answered %v while it held, wanted %v", g, want)
	}
	if g := names(got[before:]); !slices.Equal(g, []string{"end", "row 1", "row 2", "late cut"}) && !slices.Equal(g, []string{"row 1", "row 2", "end", "late cut"}) {
		t.Errorf("answered %v afterwards", g)
	}
	for _, a := range got {
		var r *protocol.Rejection
		no := slices.Contains([]string{"early cut", "client", "other cut", "late cut"}, a.name)
		if rejected := errors.As(a.err, &r); rejected != no || !rejected && a.err != nil {
			t.Errorf("%s: %v", a.name, a.err)
		}
	}
	if !slices.Equal(s.cuts, []uint64{7}) {
		t.Errorf("cut %v", s.cuts)
	}
}

// TestHold_TimeIsOver: a hold that nobody ends ends by itself, and what was cut
// later would not go together.
func TestHold_TimeIsOver(t *testing.T) {
	s := open(t)
	var got []answered
	before := len(s.due)
	s.ask(&got, "hold", &protocol.Hold{Token: 7, For: 1000})
	s.ask(&got, "row", row(1))
	if len(got) != 1 || len(s.due) != before+1 {
		t.Fatalf("answered %v, %d times are planned", names(got), len(s.due)-before)
	}
	s.driven.Handle(s.due[before])
	s.settle()
	s.ask(&got, "cut", &protocol.Cut{Token: 7})
	if g := names(got); !slices.Equal(g, []string{"hold", "row", "cut"}) || got[1].err != nil || got[2].err == nil {
		t.Errorf("answered %+v", got)
	}
}

// TestHold_LeaderEnds: what waits for the end of a hold is refused when the leader
// ends before, and so can be sent to the next one.
func TestHold_LeaderEnds(t *testing.T) {
	s := open(t)
	var got []answered
	s.ask(&got, "hold", &protocol.Hold{Token: 7, For: 1000})
	s.ask(&got, "row", row(1))
	s.driven.Stop()
	var refusal *protocol.Refusal
	if len(got) != 2 || !errors.As(got[1].err, &refusal) {
		t.Errorf("answered %+v", got)
	}
}

// TestCut_Deposed: who was deposed without knowing it cannot cut.
func TestCut_Deposed(t *testing.T) {
	s := open(t)
	var got []answered
	s.ask(&got, "hold", &protocol.Hold{Token: 7, For: 1000})
	s.driven.Execute(context.Background(), &protocol.Cut{Token: 7}, func(reply protocol.Reply, err error) { got = append(got, answered{"cut", reply, err}) })
	s.run()
	if len(got) != 1 || len(s.verify) != 1 {
		t.Fatalf("answered %+v before leadership was verified", got)
	}
	s.verify[0](errors.New("another node leads"))
	s.run()
	if len(got) != 2 || got[1].err == nil || s.failed == nil {
		t.Errorf("answered %+v, the leader has ended for %v", got, s.failed)
	}
}

// next is the next life of the leader.
func (s *stage) next(t *testing.T) {
	if s.failed == nil {
		t.Fatal("the life has not ended")
	}
	s.driven.Stop()
	s.failed = nil
	s.mail, s.verify = nil, nil
	s.driven = s.drive()
	s.driven.Start()
	s.settle()
	if !s.serving {
		t.Fatal("the next life does not serve")
	}
}

// TestRestore: an empty partition is filled, takes nothing else meanwhile, over the
// leader's lives, and then works with what it has.
func TestRestore(t *testing.T) {
	s := open(t)
	var got []answered
	begin := &protocol.Restore{Step: protocol.RestoreBegin, Backup: "b1"}
	counter := protocol.AppendOp(nil, &protocol.Op{Kind: protocol.OpPut, Key: append([]byte{1}, "counter"...), Value: []byte{0, 0, 0, 0, 0, 0, 0, 1, 44}})
	s.ask(&got, "writes before the begin", &protocol.Restore{Step: protocol.RestoreWrites, Backup: "b1", Writes: counter})
	s.ask(&got, "begin", begin)
	s.next(t)
	s.ask(&got, "begin again", begin)
	s.ask(&got, "create", &protocol.PublishMessage{Name: "m", CorrelationKey: "k", TimeToLive: 1000})
	s.ask(&got, "begin another", &protocol.Restore{Step: protocol.RestoreBegin, Backup: "b2"})
	s.ask(&got, "bad writes", &protocol.Restore{Step: protocol.RestoreWrites, Backup: "b1", Writes: protocol.AppendOp(nil, &protocol.Op{Kind: protocol.OpDelete, Key: []byte{1}})})
	s.ask(&got, "writes", &protocol.Restore{Step: protocol.RestoreWrites, Backup: "b1", Writes: counter})
	s.ask(&got, "end", &protocol.Restore{Step: protocol.RestoreEnd, Backup: "b1"})
	s.next(t)
	s.ask(&got, "publish", &protocol.PublishMessage{Name: "m", CorrelationKey: "k", TimeToLive: 1000})
	s.ask(&got, "begin when done", begin)
	s.ask(&got, "another when done", &protocol.Restore{Step: protocol.RestoreBegin, Backup: "b2"})
	yes := []string{"begin", "begin again", "writes", "end", "publish", "begin when done"}
	for _, a := range got {
		if (a.err == nil) != slices.Contains(yes, a.name) {
			t.Errorf("%s: %v", a.name, a.err)
		}
		if a.name == "create" {
			var refusal *protocol.Refusal
			if !errors.As(a.err, &refusal) || refusal.Code != protocol.Restoring {
				t.Errorf("%s: %v, wanted a refusal", a.name, a.err)
			}
		}
		if r, ok := a.reply.(*protocol.Restored); ok && r.Done != (a.name == "begin when done") {
			t.Errorf("%s: done %t", a.name, r.Done)
		}
		if k, ok := a.reply.(*protocol.KeyReply); ok && k.Key.Counter() != 301 {
			t.Errorf("%s: key %d, wanted the counter to go on at 301", a.name, k.Key.Counter())
		}
	}
	if len(got) != 11 {
		t.Errorf("%d of 11 were answered", len(got))
	}
}

// TestRestore_NotEmpty: a partition that was at work is left alone.
func TestRestore_NotEmpty(t *testing.T) {
	s := open(t)
	var got []answered
	s.ask(&got, "publish", &protocol.PublishMessage{Name: "m", CorrelationKey: "k", TimeToLive: 1000})
	s.ask(&got, "begin", &protocol.Restore{Step: protocol.RestoreBegin, Backup: "b1"})
	var r *protocol.Rejection
	if len(got) != 2 || got[0].err != nil || !errors.As(got[1].err, &r) {
		t.Errorf("answered %+v", got)
	}
}
