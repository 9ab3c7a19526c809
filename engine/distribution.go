package engine

import (
	"errors"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// receive applies rows of another partition's outbox, in order. Whatever it
// finds ends in a row applied or refused with a reason, never in silence, so
// that nothing can block a lane (Zeebe issue #24300 and #54132). Rows that
// were applied before are passed over: repeats write nothing (#9877, #29495).
func (r *run) receive(c *protocol.Receive) {
	// path: deployment 6/9 receive: in order, each row once
	in := r.tx.Inbox(c.Source, c.Lane)
	if in.Epoch != c.Epoch && in.Epoch != 0 {
		in = state.Inbox{} // the sender began a new life
	}
	start := in.Seq
	in.Epoch = c.Epoch
	reply := &protocol.Received{Epoch: c.Epoch}
	for i := range c.Items {
		item := &c.Items[i]
		if item.Seq <= in.Seq {
			continue
		}
		if item.Seq != in.Seq+1 {
			reply.Gap = true
			break
		}
		missing, err := r.receiveRow(item, c.Bodies)
		if len(missing) > 0 {
			reply.Missing = missing
			break
		}
		if err != nil {
			reply.Refused = append(reply.Refused, protocol.RefusedItem{Seq: item.Seq, Reason: err.Error()})
		}
		in.Seq = item.Seq
		if r.steps(); r.full || r.spent() {
			break // the rest is sent again
		}
	}
	// path: deployment 8/9 answer: how far this partition is, sent once that is applied
	if in.Seq != start {
		r.tx.SetInbox(c.Source, c.Lane, in)
	}
	reply.UpTo = in.Seq
	r.out.Reply = reply
}

// receiveRow does what a row tells. err is why it is refused.
func (r *run) receiveRow(item *protocol.Item, bodies []protocol.Body) (missing []protocol.Hash, err error) {
	if !r.unit(Unit{kind: unitRow, key: protocol.Key(item.Seq)}) {
		return nil, errors.New(r.e.care.blame.text)
	}
	switch c := item.Command.(type) {
	case *protocol.Distribute:
		return r.apply(&c.Deployment, bodies)
	case *protocol.DeleteResource:
		r.bury(c.Definitions)
		return nil, nil
	case *protocol.Unprocessable:
		return nil, errors.New(c.Reason)
	}
	r.row(item.Command)
	return nil, nil
}

// takeBase makes a sender's definitions known here and, with the last part, sets
// the inbox to where the sender stood when they were read. It only adds: what is
// newer here stays.
func (r *run) takeBase(c *protocol.TakeBase) {
	in := r.tx.Inbox(c.Source, c.Lane)
	reply := &protocol.Received{Epoch: c.Epoch}
	r.out.Reply = reply
	missing, err := r.apply(&protocol.Deployment{Definitions: c.Definitions}, c.Bodies)
	if len(missing) > 0 {
		reply.Missing = missing
		return
	}
	if err != nil {
		reply.Refused = []protocol.RefusedItem{{Reason: err.Error()}}
	}
	if c.UpTo > 0 && (in.Epoch != c.Epoch || in.Seq < c.UpTo) {
		in = state.Inbox{Epoch: c.Epoch, Seq: c.UpTo}
		r.tx.SetInbox(c.Source, c.Lane, in)
	}
	if in.Epoch == c.Epoch {
		reply.UpTo = in.Seq
	}
}

// apply makes a deployment's definitions known here. missing are contents that
// neither came along nor are on this node; err is why it is refused.
func (r *run) apply(d *protocol.Deployment, bodies []protocol.Body) (missing []protocol.Hash, err error) {
	// path: deployment 7/9 apply: all definitions of a row or none
	found := map[protocol.Hash][]byte{}
	for i := range d.Definitions {
		h := d.Definitions[i].Hash
		if _, ok := found[h]; ok || d.Definitions[i].Deleted {
			continue
		}
		data := r.body(h, bodies)
		if data == nil {
			missing = append(missing, h)
		}
		found[h] = data
	}
	if len(missing) > 0 {
		return missing, nil
	}
	for i := range d.Definitions {
		if def := &d.Definitions[i]; !def.Deleted {
			if err := r.check(def, found[def.Hash]); err != nil {
				return nil, err
			}
		}
	}
	for i := range d.Definitions {
		def := &d.Definitions[i]
		switch {
		case def.Deleted:
			r.bury([]protocol.Definition{def.Tombstone()})
		case r.tx.Definition(def.Key) == nil: // else it is here, or was deleted
			r.tx.AddBody(def.Hash, found[def.Hash])
			r.addDefinition(def)
		}
	}
	return nil, nil
}

// body finds a content that came along or that the node has for another
// partition, and believes it only if its hash is right.
func (r *run) body(h protocol.Hash, bodies []protocol.Body) []byte {
	for i := range bodies {
		if bodies[i].Hash == h && HashOf(bodies[i].Data) == h {
			return bodies[i].Data
		}
	}
	if data := r.tx.Body(h); data != nil && HashOf(data) == h {
		return data
	}
	return nil
}

// check tells whether this version of grevy can run a definition.
func (r *run) check(d *protocol.Definition, data []byte) error {
	c, err := r.e.Models.read(d.ResourceName, d.Hash, data)
	if err != nil {
		return err
	}
	if err := c.holds(d); err != nil || d.Kind != protocol.ProcessDefinition {
		return err
	}
	if fail := r.startTimers(c.bpmn.Processes[d.Index]); fail != nil {
		return errors.New(fail.text)
	}
	return nil
}

// acknowledge deletes outbox rows that their target has applied. Acks are
// cumulative; a repeated or late one finds nothing to delete (#10064).
func (r *run) acknowledge(c *protocol.Acknowledge) {
	r.out.Reply = &protocol.Done{}
	var gone []state.OutboxRow
	for i := range c.Acks {
		a := &c.Acks[i]
		r.tx.Scan(state.OutboxPrefix(a.Target, a.Lane), state.OutboxKey(a.Target, a.Lane, a.From), func(key, value []byte) bool {
			row, err := state.ReadOutboxRow(key, value)
			if err != nil {
				r.tx.Fail(err)
				return false
			}
			if row.Seq > a.UpTo {
				return false
			}
			gone = append(gone, row)
			return true
		})
		r.refused(a, gone)
	}
	for i := range gone {
		r.tx.DeleteOutbox(&gone[i])
	}
	r.out.Effects.Acked = c.Acks
	r.recordAcknowledged(gone)
}

// refused notes what a target has refused of the rows that it has settled.
func (r *run) refused(a *protocol.Ack, rows []state.OutboxRow) {
	for i := range rows {
		row := &rows[i]
		for _, refused := range a.Refused {
			if row.Target != a.Target || row.Lane != a.Lane || row.Seq != refused.Seq {
				continue
			}
			switch c := row.Command.(type) {
			case *protocol.Distribute:
				r.tx.Put(state.RefusedKey(c.Deployment.Key, a.Target), []byte(refused.Reason))
			case *protocol.Correlate:
				r.passOver(c)
			}
		}
	}
}

// pull reads a definition for a partition that lacks it, with all that was
// deployed together with it: one may refer to another.
func (r *run) pull(c *protocol.PullDefinition) {
	def := r.tx.Definition(r.wanted(c))
	if def == nil || def.Deleted {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "no such definition"))
		return
	}
	reply := &protocol.DefinitionReply{Epoch: r.tx.Epoch(), Seq: r.tx.LaneSeq(protocol.LaneDeployments), Key: def.Key}
	seen := map[protocol.Hash]bool{}
	for _, d := range r.tx.Members(def.DeploymentID) {
		reply.Definitions = append(reply.Definitions, *d)
		if !seen[d.Hash] {
			seen[d.Hash] = true
			reply.Bodies = append(reply.Bodies, protocol.Body{Hash: d.Hash, Data: r.tx.Body(d.Hash)})
		}
	}
	r.out.Reply = reply
}

// pulled takes in definitions that were asked for. What was read before the
// lane's rows that are applied here is out of date and does nothing; the row
// that comes later for the same keys does nothing either.
func (r *run) pulled(c *protocol.Pulled) {
	r.out.Reply = &protocol.Done{}
	in := r.tx.Inbox(c.Source, protocol.LaneDeployments)
	if in.Epoch == c.Epoch && c.Seq < in.Seq {
		return
	}
	missing, err := r.apply(&protocol.Deployment{Definitions: c.Definitions}, c.Bodies)
	if len(missing) > 0 {
		err = fmt.Errorf("%d contents are missing", len(missing))
	}
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
	}
}
