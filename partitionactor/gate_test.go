package partitionactor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
)

// full tells whether a command was refused because of the limit.
func full(a answer) bool {
	var refusal *protocol.Refusal
	return errors.As(a.err, &refusal) && refusal.Code == protocol.Full
}

func awaiting(id string) *protocol.CreateInstance {
	c := create(id)
	c.AwaitResult = true
	return c
}

// An instance whose creator waits for its result counts as under way until it is
// there, as any other does, and not while its creator only waits.
func TestGate_CountsWhoWaitsForAResultUntilItWaits(t *testing.T) {
	nodes, _ := cluster(t, 1, partitionactor.Limits{InFlight: 5})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	var waiting []<-chan answer
	made, refused := 0, 0
	for range 300 {
		waiting = append(waiting, n.send(context.Background(), awaiting("p")))
	}
	eventually(t, func() bool { return n.part.Gate().InFlight() == 0 })
	var left []<-chan answer
	for _, ch := range waiting {
		select {
		case a := <-ch:
			if refused++; !full(a) {
				t.Fatalf("%+v", a)
			}
		default:
			left = append(left, ch)
		}
	}
	if made = len(left); made == 0 || refused == 0 {
		t.Fatalf("%d wait, %d were refused", made, refused)
	}
	for range 20 { // more than the limit wait, and hold nobody up
		ch := n.send(context.Background(), awaiting("p"))
		eventually(t, func() bool { return n.part.Gate().InFlight() == 0 })
		left = append(left, ch)
	}
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 1000}).(*protocol.Jobs).Jobs
	if len(jobs) != len(left) {
		t.Fatalf("%d jobs, %d wait: a refusal must prove that nothing was done", len(jobs), len(left))
	}
	for i := range jobs {
		n.must(&protocol.CompleteJob{JobKey: jobs[i].Key})
	}
	for _, ch := range left {
		if a := wait(t, ch); a.err != nil {
			t.Error(a.err)
		}
	}
	if got := n.part.Gate().InFlight(); got != 0 {
		t.Errorf("%d are under way when all is done", got)
	}
}

// What takes long because there is much to read says nothing of how busy the
// partition is.
func TestGate_LongReadsDoNotLowerTheLimit(t *testing.T) {
	nodes, _ := cluster(t, 1, partitionactor.Limits{Latency: time.Nanosecond})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	most := n.part.Gate().Limit()
	key := n.must(create("p")).(*protocol.Created).InstanceKey
	for deadline := time.Now().Add(20 * time.Second); n.part.Gate().Limit() == most; n.must(create("p")) {
		if time.Now().After(deadline) {
			t.Fatal("no command lowers the limit")
		}
	}
	before := n.part.Gate().Limit()
	for range 20 {
		n.must(&protocol.ListIncidents{})
		n.must(&protocol.ListInstances{Limit: 10})
		n.must(&protocol.InspectInstance{Key: key})
		n.must(&protocol.ListMessages{})
	}
	if now := n.part.Gate().Limit(); now != before {
		t.Errorf("the limit was %d, is %d", before, now)
	}
}

// What is refused costs no reading of its resources.
func TestGate_ReadsResourcesOfWhatIsLetIn(t *testing.T) {
	asked := make(chan func(protocol.Reply, error), 1)
	nodes, _ := cluster(t, 1, partitionactor.Limits{InFlight: 1}, func(n *node) {
		n.partition, n.partitions = 2, 2
		n.other = func(_ context.Context, _ protocol.Command, done func(protocol.Reply, error)) { asked <- done }
	})
	n := leader(t, nodes...)
	under := n.send(context.Background(), create("p")) // partition 1 is asked for its process
	answer := <-asked
	deploy := &protocol.Deploy{Resources: []protocol.Resource{model("q", "", true)}}
	if a := n.do(deploy); !full(a) {
		t.Fatalf("%+v", a)
	}
	if read, _ := n.part.Models.Len(); read != 0 {
		t.Errorf("%d resources were read for a command that was refused", read)
	}
	answer(nil, protocol.Refuse(protocol.Unreachable, 1, "away"))
	wait(t, under)
	n.must(deploy)
	if read, _ := n.part.Models.Len(); read != 1 {
		t.Errorf("%d resources were read for a command that was let in", read)
	}
}
