package partitionactor

import (
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// A partition that is being filled from a backup has a row that says so, so that
// whoever leads it takes nothing but what fills it (state/restore.go).

// whileRestoring tells which commands are taken meanwhile.
func whileRestoring(c protocol.Command) bool {
	switch c.(type) {
	case *protocol.Restore, *protocol.ReadPlan, *protocol.WritePlan, *protocol.PartitionInfo:
		return true
	}
	return false
}

// undelivered answers for a distributor that was not started.
func undelivered(m any) {
	if m, ok := m.(interface{ Undelivered() }); ok {
		m.Undelivered()
	}
}

// restore takes one step. Its writes go into entries as they are: the overlay does
// not know of them, and nobody asks it until the next life of the leader.
func (l *leader) restore(c *protocol.Restore, r *request) {
	switch {
	case c.Step == protocol.RestoreBegin:
		l.beginRestore(c, r)
	case c.Backup == "" || l.restoring != c.Backup:
		l.read(r, nil, protocol.Reject(protocol.InvalidState, c.Intent(), "Expected partition %d to be restored from backup '%s', but %s", l.p.Partition, c.Backup, l.present()))
	case c.Step == protocol.RestoreWrites:
		l.restoreWrites(c, r)
	case c.Step == protocol.RestoreEnd:
		l.tx.Reset()
		l.tx.EndRestore(c.Backup)
		l.pack(r, engine.Outcome{Reply: &protocol.Restored{}})
		l.reopen = true
	default:
		l.read(r, nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected a step that this version knows, but got %d", c.Step))
	}
}

// present is what a partition that cannot be restored is doing.
func (l *leader) present() string {
	if l.restoring != "" {
		return "it is being restored from '" + l.restoring + "'"
	}
	return "it is at work"
}

func (l *leader) beginRestore(c *protocol.Restore, r *request) {
	view := l.over.Base()
	restored, err := view.Restored()
	switch {
	case err != nil:
		l.end(err)
	case c.Backup == "":
		l.read(r, nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected the name of a backup, but it is empty"))
	case restored == c.Backup:
		l.read(r, &protocol.Restored{Done: true}, nil)
	case l.restoring == c.Backup:
		l.read(r, &protocol.Restored{}, nil)
	case l.restoring != "" || restored != "" || l.over.Len() > 0 || !l.packing.empty() || !view.Vacant():
		l.read(r, nil, protocol.Reject(protocol.InvalidState, c.Intent(), "Expected partition %d to be empty, but %s. A backup is restored into a cluster with empty data directories", l.p.Partition, l.present()))
	default:
		l.tx.Reset()
		l.tx.BeginRestore(c.Backup)
		l.pack(r, engine.Outcome{Reply: &protocol.Restored{}})
		l.reopen = true
	}
}

// restoreWrites puts ops into an entry, after a look at each of them: what does
// not pass must not get into the log.
func (l *leader) restoreWrites(c *protocol.Restore, r *request) {
	for rd := protocol.NewReader(c.Writes); rd.Len() > 0; {
		op, err := protocol.ReadOp(rd)
		if err != nil || op.Kind != protocol.OpPut && op.Kind != protocol.OpBody || op.Kind == protocol.OpPut && (len(op.Key) == 0 || state.Apart(op.Key)) || op.Kind == protocol.OpBody && len(op.Key) != 32 {
			l.read(r, nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected rows of a partition and resources, but got something else"))
			return
		}
	}
	if l.packing.size > 0 && l.packing.size+len(c.Writes) > l.p.Limits.EntryBytes {
		l.closeEntry()
	}
	l.packing.bodies = append(l.packing.bodies, c.Writes...)
	l.packing.size += len(c.Writes)
	l.packing.results = append(l.packing.results, result{r: r, reply: &protocol.Restored{}})
	if l.packing.size >= l.p.Limits.EntryBytes {
		l.closeEntry()
	}
}
