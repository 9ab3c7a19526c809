package grevy

import (
	"context"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// AwaitDistributed waits until all partitions have what the deployments' lane
// holds up to seq, as the leader of the deployment partition knows. Whoever
// leads it is asked again as long as there is time; if nobody could say,
// each partition is asked for itself (gateway.DistributionWaiter).
func (g gatewayBroker) AwaitDistributed(ctx context.Context, seq uint64, deployment protocol.Key, reachable bool) gateway.Distribution {
	b := g.Broker
	d := gateway.Distribution{Partitions: b.partitionCount()}
	for {
		reply, err := b.askDistribution(ctx, &protocol.AwaitDistributed{Seq: seq, Deployment: deployment, Reachable: reachable})
		if err != nil {
			if ctx.Err() == nil && pause(ctx, 50*time.Millisecond) {
				continue
			}
			d.Missing = b.lacking(seq, err)
			return d
		}
		for _, p := range reply.Pending {
			d.Missing = append(d.Missing, gateway.Lacking{Partition: p.Partition, Why: pendingText(&p)})
		}
		for _, p := range reply.Refused {
			d.Refused = append(d.Refused, gateway.Lacking{Partition: p.Partition, Why: p.Reason})
		}
		return d
	}
}

// answerTime is how long an answer may take that was due when a wait was over.
const answerTime = 500 * time.Millisecond

func (b *Broker) askDistribution(ctx context.Context, c *protocol.AwaitDistributed) (*protocol.Distribution, error) {
	end, _ := ctx.Deadline() // it has one, or is not waited for
	c.Wait = max(0, time.Until(end).Milliseconds())
	asking, cancel := context.WithDeadline(b.life, end.Add(answerTime))
	defer cancel()
	d, err := ask[*protocol.Distribution](asking, b, protocol.DeploymentPartition, c)
	if err != nil {
		return nil, fmt.Errorf("partition %d could not be asked: %w", protocol.DeploymentPartition, err)
	}
	return d, nil
}

// lacking asks every partition how far it is; but for the first, which has said
// that it has it.
func (b *Broker) lacking(seq uint64, why error) (list []gateway.Lacking) {
	told := b.counters()
	for p := protocol.DeploymentPartition + 1; int(p) <= b.partitionCount(); p++ {
		if has, ok := told[p]; !ok || has < seq {
			list = append(list, gateway.Lacking{Partition: p, Why: "not known: " + why.Error()})
		}
	}
	return list
}

func pendingText(p *protocol.PendingPush) string {
	text := fmt.Sprintf("pending since %s", time.UnixMilli(p.Since).UTC().Format(time.RFC3339))
	if p.Error != "" {
		text += fmt.Sprintf(", attempts %d: %s", p.Attempts, p.Error)
	}
	return text
}

// pause waits; false: ctx has ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
