package partitionactor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/recordlog"
	"github.com/grevy-io/grevy/state"
)

// exporter is an actor of the leader: it reads what was committed back from the
// log and gives the records in it to the sink, in order, each at least once. It
// notes in the state how far it is, by an entry of its own now and then; the
// next leader goes on from there. If the sink fails it is tried again; the
// partition goes on meanwhile, and keeps its log for a while (docs/records.md).
type exporter struct {
	p         *Partition
	origin    recordlog.Origin
	at        raftadapter.Mark // what stands before it is in the sink
	noted     uint64           // index
	written   uint64           // index of the last entry of which there are records
	noting    bool
	notedTime time.Time
	pause     time.Duration // before the next attempt
	waiting   bool          // for it
	noteLater bool          // a note is due when its time has come
}

// Messages of the exporter.
type (
	more     struct{} // something was applied
	retry    struct{}
	noteTime struct{}
	noteDone struct {
		index uint64
		err   error
	}
)

// The exporter's numbers: how much it reads at once, how many records or
// entries lie between two notes at least, and how often it tries again.
const (
	exportBytes   = 1 << 20
	noteEvery     = time.Second
	noteEntries   = 20_000
	minExportWait = 50 * time.Millisecond
	maxExportWait = 5 * time.Second
)

// startExporter begins to export, or forgets that it was ever done.
func (l *leader) startExporter() error {
	at, found, err := l.exportedMark()
	if err != nil {
		return err
	}
	if l.p.Records == nil {
		if found {
			l.internal(&protocol.Exported{})
		}
		return nil
	}
	if !found {
		at = l.group.Applied()
	}
	l.exporter = l.host.Export(at)
	if !found {
		l.internal(&protocol.Exported{Index: at.Index, Guard: at.Guard})
	}
	return nil
}

// Export starts an exporter that goes on from a mark.
func (s *seat) Export(at raftadapter.Mark) func() {
	p := s.part
	x := &exporter{p: p, origin: recordlog.Origin{Partition: p.Config.Partition, Version: p.Version}, at: at, noted: at.Index, notedTime: time.Now()}
	pid := s.ctx.SpawnPrefix(actors.FuncProps(x.receive), "exporter")
	return func() { p.System.Root.Send(pid, more{}) }
}

// exportedMark reads how far the record log is.
func (l *leader) exportedMark() (m raftadapter.Mark, found bool, err error) {
	b, err := l.over.Base().Get(state.ExportedKey)
	if err != nil {
		return m, false, err
	}
	m.Index, m.Guard, found = state.ReadExported(b)
	return m, found, nil
}

func (x *exporter) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started: // perhaps after a failure: its timers are gone
		x.waiting, x.noteLater, x.noting = false, false, false
		x.export(ctx)
	case more:
		if !x.waiting {
			x.export(ctx)
		}
	case retry:
		x.waiting = false
		x.export(ctx)
	case noteTime:
		if x.noteLater = false; !x.waiting {
			x.note(ctx)
		}
	case noteDone:
		x.onNoted(ctx, m)
	}
}

// onNoted takes word of a note. One that failed is tried again, after a while:
// without it the log is kept, perhaps until something else happens.
func (x *exporter) onNoted(ctx actor.Context, m noteDone) {
	x.noting = false
	if m.err == nil {
		x.noted = max(x.noted, m.index)
		return
	}
	x.p.Log.Info("how far the record log is could not be noted yet", "err", m.err)
	x.later(ctx, noteEvery)
}

// later looks whether a note is due after a while.
func (x *exporter) later(ctx actor.Context, wait time.Duration) {
	if !x.noteLater {
		x.noteLater = true
		actors.After(ctx, max(wait, minExportWait), noteTime{})
	}
}

// export writes all that is applied and not yet written.
func (x *exporter) export(ctx actor.Context) {
	for {
		list, next, err := x.p.Group().Committed(x.at, exportBytes)
		if errors.Is(err, raftadapter.ErrLogGone) {
			if err = x.skip(); err == nil {
				continue
			}
		}
		if err == nil && next == x.at {
			break
		}
		if err == nil {
			err = x.write(list)
		}
		if err != nil {
			x.fail(ctx, err)
			return
		}
		x.at, x.pause = next, 0
		x.p.exported.ok(next.Index)
	}
	x.note(ctx)
}

func (x *exporter) write(list []raftadapter.Committed) error {
	var lines []byte
	records, last := 0, uint64(0)
	for i := range list {
		var n int
		var err error
		if lines, n, err = x.origin.AppendEntry(lines, list[i].Index, list[i].Data); err != nil {
			return err
		}
		if records += n; n > 0 {
			last = list[i].Index
		}
	}
	if records == 0 {
		return nil
	}
	if err := x.p.Records.Write(x.p.Partition, lines); err != nil {
		return err
	}
	x.written = last
	x.p.exported.count(records)
	return nil
}

// skip goes on where the log begins: what stood before is lost to the record log.
func (x *exporter) skip() error {
	first, err := x.p.Group().Earliest()
	if err != nil {
		return err
	}
	if first.Index <= x.at.Index {
		return fmt.Errorf("%w: at %d, behind %d", raftadapter.ErrLogGone, first.Index, x.at.Index)
	}
	x.p.Log.Error("records are lost: the log no longer has their entries", "after", x.at.Index, "up to", first.Index)
	x.p.exported.lost(first.Index - x.at.Index)
	x.at = first
	return nil
}

func (x *exporter) fail(ctx actor.Context, err error) {
	if x.pause == 0 {
		x.p.Log.Error("records cannot be written; it is tried again", "err", err)
	}
	x.p.exported.failed(err)
	x.pause = min(max(2*x.pause, minExportWait), maxExportWait)
	x.waiting = true
	actors.After(ctx, x.pause, retry{})
}

// note writes down how far the record log is, once that is durable.
func (x *exporter) note(ctx actor.Context) {
	wait := noteEvery - time.Since(x.notedTime)
	fresh, far := x.written > x.noted, x.at.Index-x.noted >= noteEntries
	switch {
	case fresh && !far && (x.noting || wait > 0):
		x.later(ctx, wait)
		return
	case x.noting, !fresh && !far:
		return
	}
	if err := x.p.Records.Sync(); err != nil {
		x.fail(ctx, err)
		return
	}
	at := x.at
	x.noting, x.notedTime = true, time.Now()
	system, self := x.p.System, ctx.Self()
	x.p.gate.Execute(context.Background(), &protocol.Exported{Index: at.Index, Guard: at.Guard}, func(_ protocol.Reply, err error) {
		system.Root.Send(self, noteDone{at.Index, err})
	})
}
