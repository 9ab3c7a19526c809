package partitionactor_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// slowKV is a store on a slow disk.
type slowKV struct {
	state.KV
	takes time.Duration
}

func (s *slowKV) Update(ops []state.Op) error {
	<-time.After(s.takes)
	return s.KV.Update(ops)
}

// load creates instances from so many callers, each as often as it can, until stop.
type load struct {
	mu      sync.Mutex
	took    []time.Duration // of those that were let in
	refused int
	wrong   error
}

func (l *load) caller(n *node, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		start := time.Now()
		a := <-n.send(context.Background(), create("p"))
		took := time.Since(start)
		var refusal *protocol.Refusal
		full := errors.As(a.err, &refusal) && refusal.Code == protocol.Full
		l.mu.Lock()
		switch {
		case a.err == nil:
			l.took = append(l.took, took)
		case full:
			l.refused++
		default:
			l.wrong = a.err
		}
		l.mu.Unlock()
		if full { // as a client does
			<-time.After(100 * time.Millisecond)
		}
	}
}

// More than a partition can commit is refused, and would take seconds if it were let
// in. What is let in is answered in time,
// and jobs are always completed.
func TestGate_OverloadCostsRefusals(t *testing.T) {
	nodes, _ := cluster(t, 1, partitionactor.Limits{Latency: 100 * time.Millisecond, EntryBytes: 4 << 10}, func(n *node) {
		n.store = &slowKV{n.kv, 20 * time.Millisecond}
	})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	l, stop := new(load), make(chan struct{})
	var wg sync.WaitGroup
	for range 2000 {
		wg.Go(func() { l.caller(n, stop) })
	}
	// It has found out: some ten go into an entry, so this many wait for 0.3 s.
	eventually(t, func() bool { return n.part.Gate().Limit() < 150 })
	l.mu.Lock()
	l.took, l.refused = nil, 0
	l.mu.Unlock()
	completed := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		// A worker asks again when the gate is full; what it has it can always complete.
		a := n.do(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 10})
		jobs, _ := a.reply.(*protocol.Jobs)
		for i := 0; jobs != nil && i < len(jobs.Jobs); i++ {
			if a := n.do(&protocol.CompleteJob{JobKey: jobs.Jobs[i].Key}); a.err != nil {
				t.Fatalf("a job was not completed: %v", a.err)
			}
			completed++
		}
	}
	close(stop)
	wg.Wait()
	if l.wrong != nil {
		t.Errorf("neither done nor refused: %v", l.wrong)
	}
	slices.Sort(l.took)
	p99 := l.took[len(l.took)*99/100]
	t.Logf("%d created, p50 %v, p99 %v, %d refused, %d jobs completed, limit %d", len(l.took), l.took[len(l.took)/2], p99, l.refused, completed, n.part.Gate().Limit())
	if p99 > time.Second {
		t.Errorf("what was let in took up to %v", p99)
	}
	if l.refused == 0 || completed == 0 {
		t.Errorf("%d refused, %d jobs completed", l.refused, completed)
	}
	idle := func() bool { n.do(create("p")); return n.part.Gate().InFlight() == 0 }
	eventually(t, idle)
}
