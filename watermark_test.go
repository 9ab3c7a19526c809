package grevy

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Whoever asks while a new leadership reads its counter gets that counter, not what
// the node has heard of as a follower.
func TestWatermarks_NewLeadership(t *testing.T) {
	m := &watermarks{seq: 3, leases: map[protocol.NodeID]time.Time{1: time.Now().Add(time.Hour)}}
	began := time.Now()
	if _, err := m.lead(7, func() (uint64, error) { return 0, errors.New("the disk") }); err == nil {
		t.Fatal("a counter that was not read is told")
	}
	if len(m.leases) > 0 || m.opened.Before(began) {
		t.Error("the former leader's leases are not assumed")
	}
	reading, read := make(chan struct{}), make(chan struct{})
	answers := make(chan uint64, 3)
	var wg sync.WaitGroup
	ask := func(counter func() (uint64, error)) {
		wg.Go(func() {
			seq, err := m.lead(7, counter)
			if err != nil {
				t.Error(err)
			}
			answers <- seq
		})
	}
	ask(func() (uint64, error) {
		close(reading)
		<-read
		return 9, nil
	})
	<-reading
	for range 2 {
		ask(func() (uint64, error) {
			t.Error("the counter is read twice")
			return 0, nil
		})
	}
	select {
	case seq := <-answers:
		t.Errorf("%d is told before the counter is read", seq)
	case <-time.After(20 * time.Millisecond):
	}
	close(read)
	wg.Wait()
	for range 3 {
		if seq := <-answers; seq != 9 {
			t.Errorf("%d is told, the counter is 9", seq)
		}
	}
}

// A node that waits for its cluster to form leads nothing and says so.
func TestWatermarks_Unformed(t *testing.T) {
	m := &watermarks{b: &Broker{}}
	replied := false
	m.grant(context.Background(), 1, nil, func(b []byte) { replied = len(b) == 0 })
	if !replied {
		t.Error("no answer, or a lease")
	}
}
