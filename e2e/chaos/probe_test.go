package chaos

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/history"
	"github.com/grevy-io/grevy/protocol"
)

// prober writes a little to every partition through every gateway, again and
// again, so that it is known when which of them took writes: a message that nobody
// waits for.
type prober struct {
	h     *history.Recorder
	end   context.CancelFunc
	wg    sync.WaitGroup
	mu    sync.Mutex
	spans [][]span // by partition - 1, in the order of their ends
}

// span is a write that was acknowledged.
type span struct {
	gateway      int
	begun, ended time.Duration
}

const (
	probeEvery = 100 * time.Millisecond
	probeTime  = 2 * time.Second
	probesOut  = 10 // under way at a time, for one partition at one gateway
)

func newProber(l *load) *prober {
	ctx, cancel := context.WithCancel(context.Background())
	p := &prober{h: l.h, end: cancel, spans: make([][]span, l.partitions)}
	for g, client := range l.clients {
		for part := 1; part <= l.partitions; part++ {
			p.wg.Go(func() { p.run(ctx, client, g, part, keyOf(part, l.partitions)) })
		}
	}
	return p
}

// keyOf finds a correlation key whose messages live on a partition.
func keyOf(partition, partitions int) string {
	for i := 0; ; i++ {
		if key := fmt.Sprint("probe-", i); int(protocol.MessagePartition(key, partitions)) == partition {
			return key
		}
	}
}

func (p *prober) run(ctx context.Context, client pb.GatewayClient, gateway, partition int, key string) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var out atomic.Int32
	for {
		if out.Add(1) <= probesOut {
			p.wg.Go(func() {
				defer out.Add(-1)
				p.once(client, gateway, partition, key)
			})
		} else {
			out.Add(-1)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *prober) once(client pb.GatewayClient, gateway, partition int, key string) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	begun := p.h.Now()
	_, err := client.PublishMessage(ctx, &pb.PublishMessageRequest{Name: "chaos-nobody", CorrelationKey: key})
	if p.h.Count("probe", err) != history.Done {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spans[partition-1] = append(p.spans[partition-1], span{gateway, begun, p.h.Now()})
}

func (p *prober) stop() {
	p.end()
	p.wg.Wait()
}

// served tells whether a partition took a write at a gateway that began after then.
func (p *prober) served(gateway, partition int, then time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.spans[partition-1]
	for i := len(list) - 1; i >= 0 && list[i].ended > then; i-- {
		if list[i].gateway == gateway && list[i].begun > then {
			return true
		}
	}
	return false
}

// firstAfter is how long after a moment a partition took its first write again.
func (p *prober) firstAfter(partition int, then time.Duration) (first time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.spans[partition-1]
	for i := len(list) - 1; i >= 0 && list[i].ended > then; i-- {
		if list[i].begun > then {
			first, ok = list[i].ended-then, true
		}
	}
	return first, ok
}
