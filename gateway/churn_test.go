package gateway_test

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// TestPoll_Churn: polls come, are woken and run out of time in all orders; no
// job is lost or given twice, and no partition is forgotten.
func TestPoll_Churn(t *testing.T) {
	const pollers, jobs = 24, 600
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{Linger: time.Millisecond})
	var mu sync.Mutex
	got := map[protocol.Key]int{}
	all := make(chan struct{})
	var wg sync.WaitGroup
	for i := range pollers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for {
				select {
				case <-all:
					return
				default:
				}
				req := pollFor("t", rnd.Int32N(3)+1, time.Duration(rnd.IntN(4)+1)*time.Millisecond)
				list, err := activate(callCtx(t), r.client, req)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, k := range jobKeys(list) {
					if got[k]++; len(got) == jobs && got[k] == 1 {
						close(all)
					}
				}
				mu.Unlock()
			}
		})
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	for n := 0; n < jobs; {
		k := min(rnd.IntN(4)+1, jobs-n)
		f.add(protocol.PartitionID(rnd.IntN(3)+1), "t", k, "{}")
		n += k
		before := len(locked[*protocol.ActivateJobs](f))
		f.await("some polls", func() bool { return len(commands[*protocol.ActivateJobs](f)) >= before+rnd.IntN(6) })
	}
	select {
	case <-all:
	case <-time.After(patience):
		t.Fatalf("only %d of %d jobs were delivered", len(got), jobs)
	}
	wg.Wait()
	for k, n := range got {
		if n != 1 {
			t.Errorf("job %d was delivered %d times", k, n)
		}
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		want := f.add(p, "t", 1, "{}")
		if list, err := activate(callCtx(t), r.client, pollFor("t", 1, patience)); err != nil || !reflect.DeepEqual(jobKeys(list), want) {
			t.Errorf("partition %d afterwards: %v, %v", p, list, err)
		}
	}
}

// TestPush_Churn: streams come and go while jobs are pushed. What a client got
// it got once; what none got is open in the end, not locked for nobody, but for
// what was on its way to a client that left.
func TestPush_Churn(t *testing.T) {
	const rounds, jobs = 20, 15
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	steady := r.open(callCtx(t), t, streamFor("t"))
	got := make(chan protocol.Key, rounds*jobs)
	go func() {
		for j, err := steady.Recv(); err == nil; j, err = steady.Recv() {
			got <- protocol.Key(j.Key)
		}
	}()
	seen := map[protocol.Key]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range rounds {
		ctx, cancel := context.WithCancel(callCtx(t))
		s, err := r.client.StreamActivatedJobs(ctx, streamFor("t"))
		if err != nil {
			t.Fatal(err)
		}
		f.add(protocol.PartitionID(i%3+1), "t", jobs, "{}")
		wg.Go(func() {
			for {
				j, err := s.Recv()
				if err != nil {
					return
				}
				mu.Lock()
				if seen[protocol.Key(j.Key)] {
					t.Errorf("job %d came twice", j.Key)
				}
				seen[protocol.Key(j.Key)] = true
				mu.Unlock()
			}
		})
		f.await("some pulled", func() bool { return len(f.open(protocol.PartitionID(i%3+1), "t")) < jobs })
		cancel()
	}
	f.await("only the steady stream is left", func() bool { return r.clients() == 1 })
	wg.Wait()
	f.await("all locked", func() bool { return len(f.open(1, "t"))+len(f.open(2, "t"))+len(f.open(3, "t")) == 0 })
	want := f.add(2, "t", 1, "{}")[0]
	for {
		select {
		case k := <-got:
			if seen[k] {
				t.Errorf("job %d came twice", k)
			}
			if seen[k] = true; k == want {
				return
			}
		case <-time.After(patience):
			t.Fatal("the stream that stayed gets no jobs any more")
		}
	}
}
