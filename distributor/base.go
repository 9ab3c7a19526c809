package distributor

import (
	"slices"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// baseBatch is how many definitions one part of a base carries at most.
const baseBatch = 50

// base is a base on its way to a receiver whose inbox lies below the first row:
// all definitions, and its inbox set to where the lane stood when they were read.
type base struct {
	*Carrier
	saga.SendBase
	after protocol.Key
	seq   uint64 // what is defined later comes as a row
}

func (d *Carrier) sendBase(a saga.SendBase) {
	b := &base{Carrier: d, SendBase: a}
	if lane := protocol.Lane(a.Channel.Lane); lane != protocol.LaneDeployments {
		// What was told before the first row is gone: there is nothing to tell again.
		b.part(&protocol.TakeBase{Lane: lane, UpTo: uint64(a.First - 1)})
		return
	}
	b.next()
}

// next sends the next definitions.
func (b *base) next() {
	defs, now, err := b.out.Definitions(b.after, baseBatch)
	if err != nil {
		b.answer(b.Channel, b.Attempt, failed(err))
		return
	}
	if b.seq == 0 {
		b.seq = now
	}
	part := &protocol.TakeBase{Lane: protocol.Lane(b.Channel.Lane), Definitions: defs}
	if len(defs) < baseBatch {
		part.UpTo = b.seq
	} else {
		b.after = defs[len(defs)-1].Key
	}
	b.part(part)
}

// part sends one part, a second time with the bodies that are missing.
func (b *base) part(part *protocol.TakeBase) {
	epoch, err := b.out.Epoch()
	if err != nil {
		b.answer(b.Channel, b.Attempt, failed(err))
		return
	}
	part.Source, part.Epoch = b.out.Partition(), epoch
	b.execute(b.Channel.Target, part, func(reply *protocol.Received, err error) {
		if err != nil || len(reply.Missing) == 0 {
			b.onPart(part, reply, err)
			return
		}
		if err := b.fillPart(part, reply.Missing); err != nil {
			b.result(b.Channel, b.Attempt, failed(err))
			return
		}
		b.execute(b.Channel.Target, part, func(reply *protocol.Received, err error) { b.onPart(part, reply, err) })
	})
}

// fillPart adds what is missing. It is bounded like that of a push: the
// definitions whose resources do not fit go with the next part.
func (b *base) fillPart(part *protocol.TakeBase, missing []protocol.Hash) error {
	size, added := 0, map[protocol.Hash]bool{}
	for i := range part.Definitions {
		h := part.Definitions[i].Hash
		if added[h] || !slices.Contains(missing, h) {
			continue
		}
		if size > maxBodies {
			part.Definitions, part.UpTo = part.Definitions[:i], 0
			b.after = part.Definitions[i-1].Key
			return nil
		}
		data, err := b.out.Body(h)
		if err != nil {
			return err
		}
		added[h], size = true, size+len(data)
		part.Bodies = append(part.Bodies, protocol.Body{Hash: h, Data: data})
	}
	return nil
}

func (b *base) onPart(part *protocol.TakeBase, reply *protocol.Received, err error) {
	switch {
	case err != nil:
		b.result(b.Channel, b.Attempt, failed(err))
	case part.UpTo > 0:
		b.result(b.Channel, b.Attempt, saga.Based{UpTo: saga.Seq(reply.UpTo)})
	default:
		b.result(b.Channel, b.Attempt, saga.NeedBodies{}) // a sign of life: the attempt goes on
		b.next()
	}
}
