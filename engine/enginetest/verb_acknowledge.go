package enginetest

import "github.com/grevy-io/grevy/protocol"

// acknowledge on=P from=Q upto=N [lane=messages|signals] [refused=SEQ reason=TEXT]: notes at P what Q has applied.
func init() { verbs["acknowledge"] = acknowledge }

func acknowledge(t *transcript, c *call) error {
	from, err := c.number("from", 2)
	if err != nil {
		return err
	}
	upTo, err := c.number("upto", 0)
	if err != nil {
		return err
	}
	refused, err := c.number("refused", 0)
	if err != nil {
		return err
	}
	a := protocol.Ack{Target: protocol.PartitionID(from), Lane: c.lane(), UpTo: uint64(upTo)}
	if refused != 0 {
		a.Refused = []protocol.RefusedItem{{Seq: uint64(refused), Reason: c.text("reason")}}
	}
	return t.execute(c, &protocol.Acknowledge{Acks: []protocol.Ack{a}})
}
