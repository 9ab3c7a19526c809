package enginetest

import (
	"fmt"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
)

// save on=P keeps a copy of P; restore on=P brings it back, and wipe on=P leaves
// nothing. survey on=P from=Q: P tells Q what it has. compare on=P from=Q: P takes from Q what
// it lacks, as after a comparison that found a difference; with upto=N, of
// another partition than 1, its inbox is set.
func init() {
	verbs["save"], verbs["restore"], verbs["wipe"] = save, restore, wipe
	verbs["survey"], verbs["compare"] = survey, compare
}

func save(t *transcript, c *call) (err error) {
	if t.saved == nil {
		t.saved = map[protocol.PartitionID]Saved{}
	}
	t.saved[c.part.ID], err = c.part.Save()
	return err
}

func restore(t *transcript, c *call) error { return c.part.Restore(t.saved[c.part.ID]) }

func wipe(_ *transcript, c *call) error { return c.part.Restore(nil) }

func survey(t *transcript, c *call) error {
	from, err := c.number("from", 2)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.Survey{From: protocol.PartitionID(from)})
}

func compare(t *transcript, c *call) error {
	from, err := c.number("from", 1)
	if err != nil {
		return err
	}
	upTo, err := c.number("upto", 0)
	if err != nil {
		return err
	}
	source, err := t.cluster.Partition(int(from))
	if err != nil {
		return err
	}
	lanes, err := ask[*protocol.Surveyed](source, &protocol.Survey{From: c.part.ID})
	if err != nil {
		return err
	}
	found, err := lacking(c.part, source)
	if err != nil {
		return err
	}
	if c.part.ID == protocol.DeploymentPartition {
		return t.execute(c, &protocol.Reconcile{From: source.ID, Lanes: lanes.Lanes, Definitions: found.Definitions, Bodies: found.Bodies})
	}
	return t.execute(c, &protocol.TakeBase{
		Source: source.ID, Epoch: lanes.Epoch, Lane: protocol.LaneDeployments, UpTo: uint64(upTo), Definitions: found.Definitions, Bodies: found.Bodies,
	})
}

// lacking fetches what p lacks of another's definitions, by their sums.
func lacking(p, source *Partition) (*protocol.DefinitionReply, error) {
	own, err := ask[*protocol.DefinitionList](p, &protocol.ListDefinitions{Limit: 1000})
	if err != nil {
		return nil, err
	}
	theirs, err := ask[*protocol.DefinitionList](source, &protocol.ListDefinitions{Limit: 1000})
	if err != nil {
		return nil, err
	}
	have := map[protocol.Key]protocol.DefinitionSum{}
	for _, d := range own.List {
		have[d.Key] = d
	}
	var keys []protocol.Key
	for _, d := range theirs.List {
		if mine, ok := have[d.Key]; !ok || d.Deleted && !mine.Deleted {
			keys = append(keys, d.Key)
		}
	}
	return ask[*protocol.DefinitionReply](source, &protocol.FetchDefinitions{Keys: keys})
}

// ask executes a read.
func ask[R protocol.Reply](p *Partition, cmd protocol.Command) (r R, err error) {
	var out engine.Outcome
	if out, err = p.Execute(cmd); err != nil {
		return r, err
	}
	r, ok := out.Reply.(R)
	if !ok {
		return r, fmt.Errorf("%T is answered with %+v", cmd, out)
	}
	return r, nil
}

func (c *call) surveyed(p *protocol.Surveyed) {
	c.print("epoch %d seq %d, first row %d", p.Epoch, p.Seq, p.First)
	for i, k := range p.Digest {
		if k.Count > 0 {
			c.print("  %s: %d, %x", protocol.DefinitionKind(i+1), k.Count, k.Sum[:4])
		}
	}
	for _, l := range p.Lanes {
		c.print("  lane %d applied up to %d of epoch %d", l.Lane, l.Seq, l.Epoch)
	}
}
