package distributor

import (
	"context"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// baseBatch is how many definitions one part of a base carries at most.
const baseBatch = 50

// sendBase gives a receiver whose inbox lies below the first row all
// definitions, and sets its inbox to where the lane stood when they were read.
func (d *distributor) sendBase(a saga.SendBase) {
	upTo, err := d.base(a)
	if err != nil {
		d.answer(a.Channel, a.Attempt, failed(err))
		return
	}
	d.answer(a.Channel, a.Attempt, saga.Based{UpTo: saga.Seq(upTo)})
}

func (d *distributor) base(a saga.SendBase) (upTo uint64, err error) {
	ch := a.Channel
	if lane := protocol.Lane(ch.Lane); lane != protocol.LaneDeployments {
		// What was told before the first row is gone: there is nothing to tell again.
		part := &protocol.TakeBase{Source: d.out.Partition(), Epoch: d.out.Epoch(), Lane: lane, UpTo: uint64(a.First - 1)}
		reply, err := d.sendPart(ch.Target, part)
		return reply.UpTo, err
	}
	after, seq := protocol.Key(0), uint64(0)
	for {
		defs, now, err := d.out.Definitions(after, baseBatch)
		if err != nil {
			return 0, err
		}
		if seq == 0 {
			seq = now // what is defined later comes as a row
		}
		part := &protocol.TakeBase{Source: d.out.Partition(), Epoch: d.out.Epoch(), Lane: protocol.Lane(ch.Lane), Definitions: defs}
		if len(defs) < baseBatch {
			part.UpTo = seq
		}
		reply, err := d.sendPart(ch.Target, part)
		if err != nil || part.UpTo > 0 {
			return reply.UpTo, err
		}
		after = defs[len(defs)-1].Key
		d.answer(ch, a.Attempt, saga.NeedBodies{}) // a sign of life: the attempt goes on
	}
}

// sendPart sends one part, a second time with the bodies that are missing.
func (d *distributor) sendPart(target protocol.PartitionID, part *protocol.TakeBase) (protocol.Received, error) {
	reply, err := d.execute(target, part)
	if err != nil || len(reply.Missing) == 0 {
		return reply, err
	}
	for _, h := range reply.Missing {
		data, err := d.out.Body(h)
		if err != nil {
			return reply, err
		}
		part.Bodies = append(part.Bodies, protocol.Body{Hash: h, Data: data})
	}
	return d.execute(target, part)
}

func (d *distributor) execute(target protocol.PartitionID, c protocol.Command) (protocol.Received, error) {
	ctx, cancel := context.WithTimeout(d.life, d.Timeout)
	defer cancel()
	type answer struct {
		reply protocol.Reply
		err   error
	}
	ch := make(chan answer, 1)
	d.out.Execute(ctx, target, c, func(r protocol.Reply, err error) { ch <- answer{r, err} })
	a := <-ch
	if r, ok := a.reply.(*protocol.Received); ok && a.err == nil {
		return *r, nil
	}
	return protocol.Received{}, a.err
}
