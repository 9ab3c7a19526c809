package engine

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// deleteResource takes back a process, decision requirements or a form. As in
// the original, it is refused while this partition, the first, runs instances of
// the process. Those of other partitions go on to their end, and nothing new
// begins (Zeebe issue #54132, and draining deletion in later versions).
func (r *run) deleteResource(c *protocol.DeleteResource) {
	def := r.tx.Definition(c.ResourceKey)
	if r.e.Partition != protocol.DeploymentPartition || def == nil || def.Deleted || def.Kind == protocol.DecisionDefinition {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to delete resource but no resource found with key `%d`", c.ResourceKey))
		return
	}
	if def.Kind == protocol.ProcessDefinition && r.tx.HasInstance(def.Key, mostLooked) {
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Expected to delete resource with key `%d` but there are still running instances", c.ResourceKey))
		return
	}
	row := &protocol.DeleteResource{ResourceKey: def.Key}
	for _, d := range r.tx.Members(def.DeploymentID) {
		if d.Parent == def.Key {
			row.Definitions = append(row.Definitions, d.Tombstone())
		}
	}
	row.Definitions = append(row.Definitions, def.Tombstone())
	key := r.recordDeletion(def.Key)
	r.bury(row.Definitions)
	r.recordDeleted(key, def.Key)
	seq := r.broadcast(protocol.LaneDeployments, row)
	r.out.Effects.DeploymentSeq = seq
	r.out.Reply = &protocol.KeyReply{Key: protocol.Key(seq)}
}

// mostLooked bounds the elements that a deletion looks at: instances are not
// counted by definition. One behind more than those drains like those of other
// partitions.
const mostLooked = 100_000

// bury deletes definitions here. What this partition has never had is remembered
// as deleted, so that nothing that comes late brings it.
func (r *run) bury(list []protocol.Definition) {
	for i := range list {
		d := r.tx.Definition(list[i].Key)
		switch {
		case d == nil:
			r.tx.PutTombstone(&list[i])
		case d.Deleted: // it was told before
		case d.Kind == protocol.ProcessDefinition:
			r.buryProcess(d)
		default:
			r.recordDefinition(d, "DELETED")
			r.tx.Withdraw(d)
			r.tx.AddDraining(d.Key)
		}
	}
}

// buryProcess lets nothing begin with a process any more. The version before the
// newest is started by its events again.
func (r *run) buryProcess(d *protocol.Definition) {
	newest := r.tx.Newest(d.Kind, d.ID) == d.Key
	r.recordDefinition(d, "DELETING")
	if newest {
		r.closeStarts(d.Key)
	}
	r.tx.Withdraw(d)
	r.tx.AddDraining(d.Key)
	if before := r.tx.Newest(d.Kind, d.ID); newest && before != 0 {
		r.openStarts(before)
	}
}

// forgetDefinition keeps only a tombstone of a definition, and its content only if another
// definition has the same.
func (r *run) forgetDefinition(d *protocol.Definition) {
	used := r.contentUsed(d)
	r.tx.PutTombstone(d)
	if !used {
		r.tx.DropBody(d.Hash)
	}
}

// contentUsed tells whether another definition has the content of one that is
// withdrawn. A content always defines the same ids.
func (r *run) contentUsed(d *protocol.Definition) bool {
	c, err := r.e.content(r.tx, d)
	if err != nil {
		r.tx.Fail(err)
		return true
	}
	others := r.tx.Draining()
	for _, of := range c.definitions(&protocol.Resource{Name: d.ResourceName}, d.Hash) {
		others = append(others, r.tx.Versions(of.Kind, of.ID)...)
	}
	return slices.ContainsFunc(others, func(key protocol.Key) bool {
		o := r.tx.Definition(key)
		return key != d.Key && o != nil && o.Hash == d.Hash
	})
}

// drain is a walk over all instances that looks for those of deleted processes,
// and ends with what is deleted and needed by nobody. A part of it is done with each tick: instances are not counted by definition, as
// that would cost each of them two writes.
type drain struct {
	next    int64                 // when it begins or goes on, in ms since 1970
	began   int64                 // 0: it has not
	at      protocol.Key          // the last element looked at
	looking map[protocol.Key]bool // deleted processes: whether an instance was found
}

const (
	drainRows  = 1000 // elements of one tick
	drainAgain = 5000 // ms between two walks, at least
)

// drainDeleted goes on with the walk and forgets what has no instance any more. It looks at committed rows only: no instance can have begun
// after the deletion, so one that is not found by a walk does not exist.
func (r *run) drainDeleted() {
	w := &r.e.drain
	if r.now < w.next || r.spent() || !r.unit(Unit{kind: unitDrain}) {
		return
	}
	if w.began == 0 && !r.beginDrain(w) {
		return
	}
	var roots []state.Root
	roots, w.at = r.tx.Roots(w.at, drainRows)
	for _, root := range roots {
		if _, ok := w.looking[root.Definition]; ok {
			w.looking[root.Definition] = true
		}
	}
	if w.at == 0 {
		r.endDrain(w)
	}
}

// beginDrain tells whether there is anything to look for.
func (r *run) beginDrain(w *drain) bool {
	*w = drain{next: r.now + drainAgain}
	looking := map[protocol.Key]bool{}
	for _, key := range r.tx.Draining() {
		if r.tx.IsDraining(key) {
			looking[key] = false
		}
	}
	if len(looking) == 0 {
		return false
	}
	*w = drain{began: r.now, looking: looking}
	return true
}

func (r *run) endDrain(w *drain) {
	undelivered := r.undelivered()
	for _, key := range r.tx.Draining() {
		found, looked := w.looking[key]
		d := r.tx.Definition(key)
		if !looked || found || undelivered || d == nil {
			continue
		}
		if d.Kind == protocol.ProcessDefinition {
			r.recordDefinition(d, "DELETED")
		}
		r.tx.DeleteDraining(key)
		r.forgetDefinition(d)
	}
	*w = drain{next: r.now + max(drainAgain, 10*(r.now-w.began))}
}

// undelivered tells whether other partitions have not applied all deployments:
// they may still need the contents.
func (r *run) undelivered() (any bool) {
	for p := 1; p <= r.e.Partitions; p++ {
		r.tx.Scan(state.OutboxPrefix(protocol.PartitionID(p), protocol.LaneDeployments), nil, func(_, _ []byte) bool {
			any = true
			return false
		})
	}
	return any
}
