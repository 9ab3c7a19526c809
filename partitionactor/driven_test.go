package partitionactor_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// stage is a leader's host and group, whose raft does what a test says.
type stage struct {
	t        *testing.T
	machine  *raftadapter.Machine
	driven   *partitionactor.Driven
	term     uint64
	index    uint64
	mail     []any
	due      []any // after a while
	proposed [][]byte
	done     []func(error)
	verify   []func(error)
	failed   error
	serving  bool
	told     []any    // the distributor
	posted   chan any // what goes into the mail
	cuts     []uint64
	outbox   actors.Outbox

	partitions int
	settled    int // entries of proposed that are committed
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOf(t, 1)
}

// newStageOf is that of partition 1 of so many.
func newStageOf(t *testing.T, partitions int) *stage {
	t.Helper()
	s := &stage{t: t, term: 3, posted: make(chan any, 64), partitions: partitions}
	var err error
	s.machine, err = raftadapter.OpenMachine(1, memkv.New(), func(a raftadapter.Applied) { s.mail = append(s.mail, a) })
	if err != nil {
		t.Fatal(err)
	}
	s.driven = s.drive()
	s.driven.Start()
	return s
}

// drive makes a life of the leader.
func (s *stage) drive() *partitionactor.Driven {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return partitionactor.Drive(&partitionactor.Config{Partition: 1, Partitions: s.partitions, Models: engine.NewModels(1 << 20), Log: log, Distributor: func(actors.Outbox) *actor.Props { return nil }}, s, s)
}

// commit applies an entry of the log, which ends in the term given.
func (s *stage) commit(term uint64, entry []byte) {
	s.t.Helper()
	s.index++
	if err := s.machine.Apply([]raftadapter.Entry{{Index: s.index, Term: term, Data: entry}}); err != nil {
		s.t.Fatal(err)
	}
}

// run lets the leader take its mail.
func (s *stage) run() {
	for {
		for len(s.posted) > 0 {
			s.mail = append(s.mail, <-s.posted)
		}
		if len(s.mail) == 0 {
			if s.driven.Idle(); len(s.posted) == 0 {
				return
			}
			continue
		}
		m := s.mail[0]
		s.mail = s.mail[1:]
		s.driven.Handle(m)
	}
}

func (s *stage) Post(m any)                   { s.posted <- m }
func (s *stage) After(_ time.Duration, m any) { s.due = append(s.due, m) }
func (s *stage) Fail(err error)               { s.failed = err }
func (s *stage) Now() time.Time               { return time.UnixMilli(1_000_000) }
func (s *stage) Random() uint64               { return 77 }
func (s *stage) Serving(uint64)               { s.serving = true }
func (s *stage) Ended()                       { s.serving = false }
func (s *stage) Term() uint64                 { return s.term }
func (s *stage) IsLeader() bool               { return true }
func (s *stage) Applied() raftadapter.Mark    { return s.machine.Applied() }
func (s *stage) Verify(done func(error))      { s.verify = append(s.verify, done) }
func (s *stage) Distribute(out actors.Outbox) func(any) {
	s.outbox = out
	return func(m any) { s.told = append(s.told, m) }
}
func (s *stage) Export(raftadapter.Mark) func() { return func() {} }

func (s *stage) Cut(token uint64)                      { s.cuts = append(s.cuts, token) }
func (s *stage) Exported() partitionactor.ExportStatus { return partitionactor.ExportStatus{} }

func (s *stage) Execute(protocol.Command, func(protocol.Reply, error)) {}

func (s *stage) View() (*state.View, uint64, protocol.Guard) { return s.machine.View() }

func (s *stage) Propose(entry []byte, done func(error)) {
	s.proposed, s.done = append(s.proposed, entry), append(s.done, done)
}

// TestVerified_InAnotherTerm: a leader is deposed, another node leads and answers
// clients, and this node leads again before the leader has heard of any of it.
// That its raft leads now proves nothing of what was read in the former term.
func TestVerified_InAnotherTerm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.commit(3, s.proposed[0])
	s.run()
	if !s.serving {
		t.Fatal("the leader has not opened")
	}
	var answers []error
	s.driven.Execute(context.Background(), &protocol.CompleteJob{JobKey: protocol.NewKey(1, 5)}, func(_ protocol.Reply, err error) { answers = append(answers, err) })
	s.run()
	if len(answers) != 0 || len(s.verify) != 1 {
		t.Fatalf("answered %v before it was verified; %d verifications", answers, len(s.verify))
	}
	s.term = 5
	s.verify[0](nil)
	s.run()
	var refusal *protocol.Refusal
	if len(answers) != 1 || !errors.As(answers[0], &refusal) || s.failed == nil {
		t.Errorf("answered %v, this life has ended for %v; wanted a refusal, and the end", answers, s.failed)
	}
}

// TestTick_NeedsNoProof: an idle leader looks what is due, finds nothing and tells
// nobody. It asks no quorum whether it still leads.
func TestTick_NeedsNoProof(t *testing.T) {
	s := newStage(t)
	s.commit(3, s.proposed[0])
	s.run()
	for range 10 {
		s.mail, s.due = s.due, nil
		if len(s.mail) == 0 {
			t.Fatal("nothing is due")
		}
		s.run()
	}
	if len(s.verify) != 0 || len(s.proposed) != 1 {
		t.Errorf("an idle leader has verified %d times and proposed %d entries", len(s.verify), len(s.proposed)-1)
	}
}

// TestAwaitDistributed_ByADeposedLeader: it knows of no row that is pending, as others
// deploy by now. It must not say that what they have deployed is everywhere.
func TestAwaitDistributed_ByADeposedLeader(t *testing.T) {
	s := newStage(t)
	s.commit(3, s.proposed[0])
	s.run()
	var answers []error
	s.driven.Execute(context.Background(), &protocol.AwaitDistributed{Seq: 9}, func(_ protocol.Reply, err error) { answers = append(answers, err) })
	s.told[len(s.told)-1].(actors.AwaitDistributed).Reply(nil, true)
	s.mail = append(s.mail, <-s.posted)
	s.run()
	if len(answers) != 0 || len(s.verify) != 1 {
		t.Fatalf("answered %v before it was verified; %d verifications", answers, len(s.verify))
	}
	s.verify[0](errors.New("deposed"))
	s.run()
	var refusal *protocol.Refusal
	if len(answers) != 1 || !errors.As(answers[0], &refusal) || s.failed == nil {
		t.Errorf("answered %v, this life has ended for %v; wanted a refusal, and the end", answers, s.failed)
	}
}

// TestOpen_AnotherBehindIt: the Open of a former life, which was still on its way,
// is applied behind this leader's own. It can never serve, and must not wait.
func TestOpen_AnotherBehindIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	stray := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: protocol.EntryOpen, Guard: protocol.Guard{Term: 3, Incarnation: 9}})
	s.index = 2
	if err := s.machine.Apply([]raftadapter.Entry{{Index: 1, Term: 3, Data: s.proposed[0]}, {Index: 2, Term: 3, Data: stray}}); err != nil {
		t.Fatal(err)
	}
	s.done[0](nil)
	s.run()
	if s.serving || s.failed == nil {
		t.Errorf("serving %t, ended for %v", s.serving, s.failed)
	}
}
