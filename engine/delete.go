package engine

import "github.com/grevy-io/grevy/protocol"

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
