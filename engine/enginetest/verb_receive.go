package enginetest

import (
	"slices"
	"strconv"

	"github.com/grevy-io/grevy/protocol"
)

// receive on=P from=Q [lane=messages|signals] [seq=N,…] [bodies=none|wrong] [epoch=E] [claim=ID]:
// brings rows that Q ever had in its outbox for P, all of them or the named
// ones; without a lane those of deployments. With claim, their definitions pretend to be of another id, which
// the resource does not hold.
func init() { verbs["receive"] = receive }

func receive(t *transcript, c *call) error {
	from, err := c.number("from", 1)
	if err != nil {
		return err
	}
	source, err := t.cluster.Partition(int(from))
	if err != nil {
		return err
	}
	epoch, err := c.number("epoch", int64(source.epoch))
	if err != nil {
		return err
	}
	cmd := &protocol.Receive{Source: source.ID, Epoch: uint64(epoch), Lane: c.lane()}
	wanted, bodies, claim := c.list("seq"), c.text("bodies"), c.text("claim")
	for _, row := range t.pushed[source.ID] {
		if row.Target != c.part.ID || row.Lane != cmd.Lane || len(wanted) > 0 && !slices.Contains(wanted, strconv.FormatUint(row.Seq, 10)) {
			continue
		}
		item := protocol.Item{Seq: row.Seq, Command: row.Command}
		if dist, ok := row.Command.(*protocol.Distribute); ok {
			d := dist.Deployment
			if claim != "" {
				d.Definitions = slices.Clone(d.Definitions)
				d.Definitions[0].ID = claim
				item.Command = &protocol.Distribute{Deployment: d}
			}
			if bodies != "none" {
				cmd.Bodies = append(cmd.Bodies, source.bodiesOf(&d, bodies == "wrong")...)
			}
		}
		cmd.Items = append(cmd.Items, item)
	}
	return t.execute(c, cmd)
}

// lane is the lane that a step names.
func (c *call) lane() protocol.Lane {
	switch c.text("lane") {
	case "messages":
		return protocol.LaneMessages
	case "signals":
		return protocol.LaneSignals
	}
	return protocol.LaneDeployments
}

func (p *Partition) bodiesOf(d *protocol.Deployment, wrong bool) (list []protocol.Body) {
	for i := range d.Definitions {
		h := d.Definitions[i].Hash
		b := protocol.Body{Hash: h, Data: p.tx.Body(h)}
		if wrong {
			b.Data = append([]byte("not "), b.Data...)
		}
		list = append(list, b)
	}
	return list
}
