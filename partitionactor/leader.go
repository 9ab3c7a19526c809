package partitionactor

import (
	"context"
	"errors"
	"fmt"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

// leader is one life of a partition's leader: it begins with an Open entry of
// its own and ends at the first thing that is not certain.
type leader struct {
	p           *Config
	host        Host
	group       Group
	term        uint64
	incarnation uint64
	opened      bool
	over        *state.Overlay
	tx          *state.Tx
	engine      *engine.Engine
	distributor func(any) // tells it
	exporter    func()    // tells it; nil: no records are wanted
	outbox      *outbox

	packing entry    // takes the next command
	closed  []*entry // packed, not yet proposed
	flying  []*entry // proposed, not yet applied
	applied uint64   // seq

	reads    reads
	rows     rows
	unsure   unsure
	parked   map[string][]*request
	awaiting map[protocol.Key]*request
	pulls    pulls
	behind   []late
	held     bool // suspended work waits until entries are on their way
	ended    bool

	holding   *holding // for a backup; nil: none
	restoring string   // the backup that the partition is being filled from
	reopen    bool     // this life ends with the entry that is being packed
}

// Messages that a leader sends itself.
type (
	goOn           uint64 // incarnation; there is suspended work
	tick           struct{}
	proposalFailed struct {
		incarnation uint64
		err         error
	}
	verified struct {
		incarnation, upTo uint64
		err               error
	}
	openDone uint64 // incarnation; its Open is applied
	answered struct {
		incarnation uint64
		r           *request
		reply       protocol.Reply
		err         error
	}
	pulledBack struct {
		incarnation uint64
		want        *protocol.PullDefinition
		reply       protocol.Reply
		err         error
	}
)

func newLeader(p *Config, g Group, h Host) *leader {
	return &leader{
		p: p, host: h, group: g, incarnation: h.Random() | 1,
		parked: map[string][]*request{}, awaiting: map[protocol.Key]*request{}, pulls: newPulls(),
	}
}

// handle is the leader's one switch.
func (l *leader) handle(m any) {
	switch m := m.(type) {
	case *request:
		l.take(m)
	case raftadapter.Applied:
		l.onApplied(m)
	case proposalFailed:
		if m.incarnation == l.incarnation {
			l.end(m.err)
		}
	case openDone:
		if uint64(m) == l.incarnation && !l.opened {
			l.end(errors.New("another leadership has opened behind this one"))
		}
	case verified:
		l.onVerified(m)
	case answered:
		l.onAnswered(m)
	case pulledBack:
		if !l.postpone(m) {
			l.onPulled(m)
		}
	case holdOver:
		l.release(uint64(m))
	case goOn:
		if uint64(m) == l.incarnation {
			l.goOn()
		}
	case tick:
		l.onTick()
	case actors.LinkNews:
		if l.distributor != nil {
			l.distributor(m)
		}
	case compared:
		if uint64(m) == l.incarnation && !l.ended {
			l.onCompared()
		}
	case rowsTurn:
		if uint64(m) == l.incarnation {
			l.onRowsTurn()
		}
	case actors.OutboxStatus:
		if l.distributor == nil || l.p.Distributor == nil {
			m.Undelivered()
			return
		}
		l.distributor(m)
	}
}

var (
	errStopped  = errors.New("leadership has ended")
	errReopened = errors.New("a restoration has begun or ended, and all is read anew")
)

// start opens this leadership. The term is read before the entry is proposed,
// so that the guard refuses it if it changes in between.
func (l *leader) start() {
	l.term = l.group.Term()
	if !l.group.IsLeader() {
		return // the loss is on its way to the partition, which stops this actor
	}
	b := protocol.AppendEntryHeader(nil, protocol.EntryHeader{
		Kind: protocol.EntryOpen, Guard: protocol.Guard{Term: l.term, Incarnation: l.incarnation},
	})
	// It is told twice: that it is applied, and before that, if nothing was applied
	// behind it, that it is the last one (onApplied).
	l.propose(b, func() { l.host.Post(openDone(l.incarnation)) })
}

func (l *leader) propose(b []byte, applied func()) {
	host, incarnation := l.host, l.incarnation
	l.group.Propose(b, func(err error) {
		if err != nil {
			host.Post(proposalFailed{incarnation, err})
		} else if applied != nil {
			applied()
		}
	})
}

// onApplied moves the base of the overlay and lets go of what waited for it.
func (l *leader) onApplied(a raftadapter.Applied) {
	// path: write 7/8 applied: one message per batch, the overlay shrinks
	if l.ended {
		return
	}
	if a.Incarnation != l.incarnation {
		if l.opened {
			l.end(fmt.Errorf("another leadership has opened: %x", a.Incarnation))
		}
		return
	}
	if !l.opened {
		l.open()
		return
	}
	if a.Seq <= l.applied {
		return
	}
	view, _, guard := l.group.View()
	if !l.own(guard) {
		view.Close()
		l.end(errors.New("another leadership has opened"))
		return
	}
	l.over.Rebase(view, guard.Seq)
	l.applied = guard.Seq
	if l.exporter != nil {
		l.exporter()
	}
	l.settle()
	l.reads.release(l.applied)
	if l.reopen && l.packing.empty() && len(l.closed)+len(l.flying) == 0 {
		l.end(errReopened)
		return
	}
	l.proposeNext()
	if l.held {
		l.goOn()
	}
}

// own tells whether it is this leadership that has applied last. The term is
// looked at too: nothing rests on incarnations of different terms being different.
func (l *leader) own(g protocol.Guard) bool {
	return g.Term == l.term && g.Incarnation == l.incarnation
}

// open begins to serve: everything before this leadership's own Open is applied
// now, so the view holds all that was ever acknowledged.
func (l *leader) open() {
	view, _, guard := l.group.View()
	if !l.own(guard) {
		view.Close()
		return
	}
	over, err := state.NewOverlay(view, guard.Seq+1)
	if err != nil {
		l.end(err)
		return
	}
	l.opened, l.over, l.applied = true, over, guard.Seq
	l.tx = state.NewTx(over)
	l.packing.seq = over.Packing()
	l.engine = engine.New(engine.Config{
		Partition: l.p.Partition, Partitions: l.p.Partitions, Models: l.p.Models, Epoch: l.host.Random() | 1,
		MaxJobBytes: int64(l.p.Limits.JobBytes), Records: l.p.Records != nil,
	})
	if l.restoring, err = view.Restoring(); err == nil {
		err = l.startChildren()
	}
	if err != nil {
		l.end(err)
		return
	}
	l.host.Serving(l.term)
	l.host.After(l.p.Limits.Tick, tick{})
	l.goOn()
}

// startChildren starts what works beside the leader, unless there is nothing yet
// to work with.
func (l *leader) startChildren() error {
	if l.restoring != "" {
		l.p.Log.Info("being restored, no commands are taken", "backup", l.restoring)
		l.distributor = undelivered
		return nil
	}
	l.beginUnsure()
	l.startDistributor()
	return l.startExporter()
}

// internal executes a command of the leader's own.
func (l *leader) internal(c protocol.Command) {
	l.take(&request{ctx: context.Background(), command: c, done: func(protocol.Reply, error) {}, own: true})
}

// take executes one command from the mailbox.
func (l *leader) take(r *request) {
	// path: write 3/8 execute: the engine decides over committed state and overlay
	if l.ended || !l.opened {
		r.done(nil, protocol.Refuse(protocol.NotLeader, l.p.Partition, ""))
		return
	}
	if err := r.ctx.Err(); err != nil {
		r.done(nil, protocol.Refuse(protocol.Unreachable, l.p.Partition, "its time was over before it was executed: %v", err))
		return
	}
	if l.apart(r) || l.inspect(r) || l.slice(r) || l.waits(r) {
		return
	}
	l.engine.Partitions, l.engine.MessagePartitions = l.p.layout()
	l.engine.Asked, l.engine.Settled = r.asked, r.own || len(r.asked) >= maxAsked
	out, err := l.execute(r)
	if errors.Is(err, protocol.ErrInternal) {
		r.done(nil, err)
		return
	}
	if err != nil {
		r.done(nil, protocol.Refuse(protocol.NotLeader, l.p.Partition, "the state store failed"))
		l.end(err)
		return
	}
	l.follow(r, out)
}

// apart does with a request what backup and restoration want, and tells whether
// that is all there is to do.
func (l *leader) apart(r *request) bool {
	switch c := r.command.(type) {
	case *protocol.Hold:
		l.hold(c, r)
		return true
	case *protocol.Cut:
		l.cut(c, r)
		return true
	}
	switch c, is := r.command.(*protocol.Restore); {
	case l.reopen:
		r.done(nil, protocol.Refuse(protocol.NotLeader, l.p.Partition, "%s", errReopened))
	case is:
		l.restore(c, r)
	case l.restoring != "" && !whileRestoring(r.command):
		r.done(nil, protocol.Refuse(protocol.Restoring, l.p.Partition, "from %s", l.restoring))
	default:
		return crosses(r.command) && l.postpone(r)
	}
	return true
}

// execute runs the engine. Its panic hits one command, before it is in the log:
// the writes are thrown away and the partition goes on. What nobody would be told
// of is insisted on.
func (l *leader) execute(r *request) (engine.Outcome, error) {
	now := l.host.Now().Add(l.p.skew()).UnixMilli()
	failed := func(err error, alone *engine.Unit) { l.failed(r.command, err, alone) }
	if _, rows := r.command.(*protocol.Receive); rows || r.own {
		return l.engine.Insist(l.tx, r.command, now, l.p.Limits.CommandBytes, failed)
	}
	l.tx.Reset()
	out, err := l.engine.Try(l.tx, r.command, now)
	if errors.Is(err, protocol.ErrInternal) {
		failed(err, nil)
	}
	return out, err
}

// failed notes why a command, or a part of one, was not executed.
func (l *leader) failed(c protocol.Command, err error, alone *engine.Unit) {
	if alone != nil {
		l.p.Log.Error("what cannot be done becomes an incident, or is refused if another partition has sent it", "command", c.Intent(), "what", *alone, "err", err)
		return
	}
	var p *engine.Panic
	if errors.As(err, &p) {
		l.p.Log.Error("command failed on a mistake of ours and was not executed", "command", c.Intent(), "kind", c.Kind(), "panic", p.Value, "stack", p.Stack)
	}
}

// follow does with an outcome what it asks for.
func (l *leader) follow(r *request, out engine.Outcome) {
	var rejection *protocol.Rejection
	switch {
	case errors.As(out.Err, &rejection):
		l.p.Observer.Rejected(l.p.Partition, rejection.Type)
		l.read(r, nil, out.Err)
		return
	case out.Miss != nil:
		l.pull(r, out.Miss)
		return
	case out.Behind:
		l.behind = append(l.behind, late{r, l.host.Now().Add(patience)})
		return
	}
	if err := engine.TooLarge(l.tx, l.p.Limits.CommandBytes); err != nil {
		l.engine.Discard()
		l.read(r, nil, protocol.Reject(protocol.ExceededBatchRecordSize, r.command.Intent(), "%s", err))
		return
	}
	switch {
	case out.Park != "":
		l.parked[out.Park] = append(l.parked[out.Park], r)
	case out.Await != 0:
		l.awaiting[out.Await] = r
	}
	l.pack(r, out)
	if _, ok := r.command.(*protocol.Receive); ok {
		l.catchUp()
	}
	for _, t := range out.Effects.JobTypes {
		l.unpark(t)
	}
	if out.Effects.Continue {
		// Behind what waits: long work must not hold up its partition.
		l.host.Post(goOn(l.incarnation))
	}
}

// unpark lets requests that wait for jobs of a type try again, the longest
// waiting first, so that one entry makes a job, locks it and pushes it.
func (l *leader) unpark(jobType string) {
	for {
		waiting := l.parked[jobType]
		if len(waiting) == 0 {
			delete(l.parked, jobType)
			return
		}
		r := waiting[0]
		l.parked[jobType] = waiting[1:]
		n := len(l.parked[jobType])
		l.take(r)
		if l.ended {
			return
		}
		if now := l.parked[jobType]; len(now) > n && now[len(now)-1] == r {
			// Nothing left for it: it stands first again.
			copy(now[1:], now[:len(now)-1])
			now[0] = r
			return
		}
	}
}

// onTick looks for what time has brought, and for callers that are gone.
func (l *leader) onTick() {
	if l.ended || !l.opened {
		return
	}
	if len(l.flying) == 0 {
		// An idle leader must not keep an old view open: it holds back the store's
		// compaction, and misses bodies that other partitions have brought.
		view, _, _ := l.group.View()
		l.over.Rebase(view, l.applied)
	}
	if !l.full() {
		l.internal(&protocol.Tick{})
	}
	if l.held {
		l.goOn()
	}
	l.catchUp()
	if l.ended {
		return
	}
	for t, waiting := range l.parked {
		kept := waiting[:0]
		for _, r := range waiting {
			if err := r.ctx.Err(); err != nil {
				r.done(nil, err)
				continue
			}
			kept = append(kept, r)
		}
		clear(waiting[len(kept):])
		if l.parked[t] = kept; len(kept) == 0 {
			delete(l.parked, t)
		}
	}
	for key, r := range l.awaiting {
		if err := r.ctx.Err(); err != nil {
			delete(l.awaiting, key)
			r.done(nil, err)
		}
	}
	l.host.After(l.p.Limits.Tick, tick{})
}
