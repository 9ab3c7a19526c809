package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// take-base on=P from=Q [upto=N] [epoch=E] [bodies=none]: brings all definitions
// that Q has committed; with upto it is the last part and sets the inbox.
func init() { verbs["take-base"] = takeBase }

func takeBase(t *transcript, c *call) error {
	from, err := c.number("from", 1)
	if err != nil {
		return err
	}
	source, err := t.cluster.Partition(int(from))
	if err != nil {
		return err
	}
	upTo, err := c.number("upto", 0)
	if err != nil {
		return err
	}
	epoch, err := c.number("epoch", int64(source.epoch))
	if err != nil {
		return err
	}
	contents, err := source.Contents()
	if err != nil {
		return err
	}
	cmd := &protocol.TakeBase{Source: source.ID, Epoch: uint64(epoch), Lane: protocol.LaneDeployments, UpTo: uint64(upTo)}
	bodies := c.text("bodies")
	for _, key := range contents.Order[state.TableDefinition] {
		d := contents.Definitions[key]
		cmd.Definitions = append(cmd.Definitions, *d)
		if bodies != "none" && !d.Deleted {
			cmd.Bodies = append(cmd.Bodies, protocol.Body{Hash: d.Hash, Data: contents.tx.Body(d.Hash)})
		}
	}
	return t.execute(c, cmd)
}
