package distributor

import (
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// group sorts rows into channels. They come per channel in order.
func group(rows []actors.OutboxRow) []saga.Rows {
	var out []saga.Rows
	at := map[saga.Channel]int{}
	for _, r := range rows {
		ch := saga.Channel{Target: r.Target, Lane: saga.Lane(r.Lane)}
		i, ok := at[ch]
		if !ok {
			i = len(out)
			at[ch] = i
			out = append(out, saga.Rows{Channel: ch})
		}
		out[i].Rows = append(out[i].Rows, saga.Row{Seq: saga.Seq(r.Seq), Size: r.Size, Since: time.UnixMilli(r.Since)})
	}
	return out
}

func refusals(list []protocol.RefusedItem) []saga.Refusal {
	var out []saga.Refusal
	for _, r := range list {
		out = append(out, saga.Refusal{Seq: saga.Seq(r.Seq), Reason: r.Reason})
	}
	return out
}

func sagaAcks(list []protocol.Ack) []saga.Ack {
	var out []saga.Ack
	for _, a := range list {
		out = append(out, saga.Ack{Channel: saga.Channel{Target: a.Target, Lane: saga.Lane(a.Lane)}, UpTo: saga.Seq(a.UpTo), Refused: refusals(a.Refused)})
	}
	return out
}

func protocolAcks(list []saga.Ack) []protocol.Ack {
	var out []protocol.Ack
	for _, a := range list {
		p := protocol.Ack{Target: a.Channel.Target, Lane: protocol.Lane(a.Channel.Lane), UpTo: uint64(a.UpTo), From: uint64(a.From)}
		for _, r := range a.Refused {
			p.Refused = append(p.Refused, protocol.RefusedItem{Seq: uint64(r.Seq), Reason: r.Reason})
		}
		out = append(out, p)
	}
	return out
}
