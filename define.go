package grevy

import (
	"context"
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// observeDefinitions looks whether a new partition may be given work: every node
// that is there counts it among the targets of what all partitions are told, and
// it has every definition of that moment and later. What it lacks is brought to it:
// without another deployment nothing else would make it ask.
func (b *Broker) observeDefinitions(ctx context.Context, plan *cluster.Plan, p protocol.PartitionID) (bool, string) {
	for _, m := range plan.Members {
		if !b.aliveNodes()[m.Node] {
			continue
		}
		info, err := b.infoOf(ctx, m.Node)
		if err != nil {
			return false, fmt.Sprintf("node %d does not answer: %v", m.Node, err)
		}
		if info.Plan < plan.Version {
			return false, fmt.Sprintf("node %d has not heard of it yet", m.Node)
		}
	}
	// Read after all of the above: what is deployed later goes to the partition too.
	first, err := b.survey(ctx, protocol.DeploymentPartition, p)
	if err != nil {
		return false, err.Error()
	}
	there, err := b.survey(ctx, p, protocol.DeploymentPartition)
	if err != nil {
		return false, err.Error()
	}
	if there.Epoch == first.Epoch && there.Seq >= first.Seq || first.Seq == 0 {
		return true, ""
	}
	if err := b.define(ctx, p, first); err != nil {
		return false, fmt.Sprintf("its definitions: %v", err)
	}
	return false, fmt.Sprintf("it has %d of %d deployments", there.Seq, first.Seq)
}

func (b *Broker) survey(ctx context.Context, p, from protocol.PartitionID) (*protocol.Surveyed, error) {
	return ask[*protocol.Surveyed](ctx, b, p, &protocol.Survey{From: from})
}

// definitionsAtOnce is how many definitions are asked for at once.
const definitionsAtOnce = 50

// define brings all definitions to a partition, and sets its inbox to where the
// deployments' lane stood before they were read. It only adds, so it may be done
// any number of times, also beside what the lane brings.
func (b *Broker) define(ctx context.Context, p protocol.PartitionID, at *protocol.Surveyed) error {
	for after := protocol.Key(0); ; {
		list, err := ask[*protocol.DefinitionList](ctx, b, protocol.DeploymentPartition, &protocol.ListDefinitions{After: after, Limit: definitionsAtOnce})
		if err != nil {
			return err
		}
		if len(list.List) == 0 {
			return b.takeBase(ctx, p, &protocol.TakeBase{Epoch: at.Epoch, UpTo: at.Seq})
		}
		var keys []protocol.Key
		for _, d := range list.List {
			keys, after = append(keys, d.Key), d.Key
		}
		if err := b.bring(ctx, p, at.Epoch, keys); err != nil {
			return err
		}
	}
}

// bring fetches definitions, as many as an answer holds at a time.
func (b *Broker) bring(ctx context.Context, p protocol.PartitionID, epoch uint64, keys []protocol.Key) error {
	for len(keys) > 0 {
		got, err := ask[*protocol.DefinitionReply](ctx, b, protocol.DeploymentPartition, &protocol.FetchDefinitions{Keys: keys})
		if err != nil {
			return err
		}
		if len(got.Definitions) == 0 {
			return nil // they are gone since they were listed
		}
		if err := b.takeBase(ctx, p, &protocol.TakeBase{Epoch: epoch, Definitions: got.Definitions, Bodies: got.Bodies}); err != nil {
			return err
		}
		last := got.Definitions[len(got.Definitions)-1].Key
		keys = keys[slices.Index(keys, last)+1:]
	}
	return nil
}

func (b *Broker) takeBase(ctx context.Context, p protocol.PartitionID, base *protocol.TakeBase) error {
	base.Source, base.Lane = protocol.DeploymentPartition, protocol.LaneDeployments
	reply, err := ask[*protocol.Received](ctx, b, p, base)
	if err == nil && len(reply.Refused) > 0 {
		err = fmt.Errorf("partition %d refuses definitions: %s", p, reply.Refused[0].Reason)
	}
	if err == nil && len(reply.Missing) > 0 {
		err = fmt.Errorf("partition %d lacks %d resources that were sent to it", p, len(reply.Missing))
	}
	return err
}
