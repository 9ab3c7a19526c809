package enginetest

import (
	"slices"
	"strconv"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// receive on=P from=Q [seq=N,…] [bodies=none|wrong] [epoch=E] [claim=ID]:
// brings rows that Q ever had in its outbox for P, all of them or the named
// ones. With claim, their definitions pretend to be of another id, which
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
	cmd := &protocol.Receive{Source: source.ID, Epoch: uint64(epoch), Lane: protocol.LaneDeployments}
	wanted, bodies, claim := c.list("seq"), c.text("bodies"), c.text("claim")
	for _, row := range t.pushed[source.ID] {
		if row.Target != c.part.ID || len(wanted) > 0 && !slices.Contains(wanted, strconv.FormatUint(row.Seq, 10)) {
			continue
		}
		item := protocol.Item{Seq: row.Seq, Deployment: row.Deployment}
		if claim != "" {
			item.Deployment.Definitions = slices.Clone(item.Deployment.Definitions)
			item.Deployment.Definitions[0].ID = claim
		}
		cmd.Items = append(cmd.Items, item)
		if bodies != "none" {
			cmd.Bodies = append(cmd.Bodies, source.bodiesOf(&row, bodies == "wrong")...)
		}
	}
	return t.execute(c, cmd)
}

func (p *Partition) bodiesOf(row *state.OutboxRow, wrong bool) (list []protocol.Body) {
	for i := range row.Deployment.Definitions {
		h := row.Deployment.Definitions[i].Hash
		b := protocol.Body{Hash: h, Data: p.tx.Body(h)}
		if wrong {
			b.Data = append([]byte("not "), b.Data...)
		}
		list = append(list, b)
	}
	return list
}
