package engine

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Partitions compare what definitions they have (architecture §3 "Comparison"; Zeebe
// issue #63712: one stayed on an old version for five days and nobody knew). What
// they find is repaired by content: each takes what it lacks, as TakeBase or,
// at the deployment partition, as Reconcile.

// survey tells what this partition knows.
func (r *run) survey(c *protocol.Survey) {
	reply := &protocol.Surveyed{Digest: r.tx.Digest()}
	if r.e.Partition == protocol.DeploymentPartition {
		reply.Epoch, reply.Seq = r.tx.Epoch(), r.tx.LaneSeq(protocol.LaneDeployments)
		reply.First = r.tx.FirstOutbox(c.From, protocol.LaneDeployments)
	} else {
		in := r.tx.Inbox(protocol.DeploymentPartition, protocol.LaneDeployments)
		reply.Epoch, reply.Seq = in.Epoch, in.Seq
	}
	for lane := protocol.LaneDeployments; lane <= protocol.LaneSignals; lane++ {
		if in := r.tx.Inbox(c.From, lane); in.Epoch != 0 {
			reply.Lanes = append(reply.Lanes, protocol.LaneMark{Lane: lane, Epoch: in.Epoch, Seq: in.Seq})
		}
	}
	r.out.Reply = reply
}

// maxListed bounds the sums of one answer.
const maxListed = 1000

// listDefinitions reads committed definitions, which are all that the answer
// can promise.
func (r *run) listDefinitions(c *protocol.ListDefinitions) {
	defs, err := r.tx.Definitions(c.After, min(max(int(c.Limit), 1), maxListed))
	if err != nil {
		r.tx.Fail(err)
		return
	}
	reply := &protocol.DefinitionList{List: make([]protocol.DefinitionSum, len(defs))}
	for i := range defs {
		reply.List[i] = protocol.DefinitionSum{Key: defs[i].Key, Sum: protocol.SumOf(&defs[i]), Deleted: defs[i].Deleted}
	}
	r.out.Reply = reply
}

// maxFetched bounds the resources of one answer in bytes; the first always fits.
const maxFetched = 1 << 20

func (r *run) fetchDefinitions(c *protocol.FetchDefinitions) {
	reply := &protocol.DefinitionReply{Epoch: r.tx.Epoch(), Seq: r.deploymentSeq()}
	size, seen := 0, map[protocol.Hash]bool{}
	for _, key := range c.Keys[:min(len(c.Keys), maxListed)] {
		d := r.tx.Definition(key)
		switch {
		case d == nil:
			continue
		case d.Deleted:
			reply.Definitions = append(reply.Definitions, d.Tombstone())
			continue
		case !seen[d.Hash]:
			data := r.tx.Body(d.Hash)
			if size += len(data); size > maxFetched && len(seen) > 0 {
				r.out.Reply = reply
				return
			}
			seen[d.Hash] = true
			reply.Bodies = append(reply.Bodies, protocol.Body{Hash: d.Hash, Data: data})
		}
		reply.Definitions = append(reply.Definitions, *d)
	}
	r.out.Reply = reply
}

// reconcile raises what this partition counts above what others have seen of it,
// as it may have been brought back from an older state: rows with the numbers of
// former ones would be taken for repeats, and keys would be minted twice. Then
// it takes in the definitions that others have and it lacks, and tells all of
// them, in the lane. It answers with how many it took in.
func (r *run) reconcile(c *protocol.Reconcile) {
	reply := &protocol.Received{}
	r.out.Reply = reply
	for _, m := range c.Lanes {
		// The counter of deployments is the watermark of gateways too, whoever counted.
		same := m.Epoch == r.tx.Epoch() || m.Lane == protocol.LaneDeployments
		if same && m.Seq > r.tx.LaneSeqTo(m.Lane, c.From) {
			r.tx.RaiseSeq(m.Lane, c.From, m.Seq)
		}
	}
	if r.e.Partition != protocol.DeploymentPartition {
		return
	}
	var fresh, gone []protocol.Definition
	for i := range c.Definitions {
		d := &c.Definitions[i]
		r.raiseKeys(d)
		known := r.tx.Definition(d.Key)
		switch {
		case d.Deleted && (known == nil || !known.Deleted):
			gone = append(gone, d.Tombstone())
		case !d.Deleted && known == nil:
			data := r.body(d.Hash, c.Bodies)
			if data == nil {
				continue
			}
			if err := r.check(d, data); err != nil {
				reply.Refused = append(reply.Refused, protocol.RefusedItem{Reason: err.Error()})
				continue
			}
			r.tx.AddBody(d.Hash, data)
			fresh = append(fresh, *d)
		}
	}
	r.spreadFound(fresh)
	if len(gone) > 0 {
		r.bury(gone)
		r.out.Effects.DeploymentSeq = r.broadcast(protocol.LaneDeployments, &protocol.DeleteResource{ResourceKey: gone[0].Key, Definitions: gone})
	}
	reply.UpTo = uint64(len(fresh) + len(gone))
}

// raiseKeys lets no key be minted again.
func (r *run) raiseKeys(d *protocol.Definition) {
	for _, k := range []protocol.Key{d.Key, d.DeploymentID} {
		if k.Partition() == r.e.Partition {
			r.tx.RaiseCounter(k)
		}
	}
}

// spreadFound makes definitions known here and tells the others, by deployment.
func (r *run) spreadFound(fresh []protocol.Definition) {
	var order []protocol.Key
	by := map[protocol.Key][]protocol.Definition{}
	for i := range fresh {
		d := &fresh[i]
		r.addDefinition(d)
		if by[d.DeploymentID] == nil {
			order = append(order, d.DeploymentID)
		}
		by[d.DeploymentID] = append(by[d.DeploymentID], *d)
	}
	for _, key := range order {
		d := protocol.Deployment{Key: key, Definitions: by[key], Time: r.now}
		seq := r.broadcast(protocol.LaneDeployments, &protocol.Distribute{Deployment: d})
		if old := r.tx.Deployment(key); old != nil {
			d.Time, d.Definitions = old.Time, slices.Concat(old.Definitions, d.Definitions)
		}
		r.tx.PutDeployment(&d, seq)
		r.out.Effects.DeploymentSeq = seq
	}
}
