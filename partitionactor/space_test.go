package partitionactor_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
)

// room is a disk whose free space a test sets.
type room struct {
	free  atomic.Uint64
	watch *diskspace.Watch
}

func newRoom() *room {
	r := new(room)
	r.watch = diskspace.New(func() (uint64, uint64, error) { return r.free.Load(), 1 << 20, nil }, diskspace.Marks{Scarce: 1000, Ended: 500})
	r.free.Store(1 << 20)
	return r
}

func (r *room) set(t *testing.T, free uint64) {
	t.Helper()
	r.free.Store(free)
	if _, err := r.watch.Look(); err != nil {
		t.Fatal(err)
	}
}

// noSpace tells whether a command was refused because of the disk.
func noSpace(a answer) bool {
	var refusal *protocol.Refusal
	return errors.As(a.err, &refusal) && refusal.Code == protocol.NoSpace
}

func TestSpace_WhatGoesOnAtEachLevel(t *testing.T) {
	t.Parallel()
	r := newRoom()
	nodes, _ := cluster(t, 1, partitionactor.Limits{Tick: 5 * time.Millisecond}, func(n *node) { n.space, n.room = r.watch, func() bool { return r.watch.Level() != diskspace.Ended } })
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true), scripted("timed")}})
	var keys []protocol.Key
	for range 3 {
		keys = append(keys, n.must(create("p")).(*protocol.Created).InstanceKey)
	}
	grow := []protocol.Command{
		create("p"), &protocol.Deploy{Resources: []protocol.Resource{model("q", "", true)}}, &protocol.PublishMessage{Name: "m"},
		&protocol.BroadcastSignal{Name: "s"}, &protocol.SetVariables{ElementKey: keys[0], Variables: []byte(`{"a":1}`)},
	}
	reads := []protocol.Command{&protocol.PartitionInfo{}, &protocol.ListDeployments{Limit: 1}, &protocol.Watermark{}}

	r.set(t, 900)
	for _, c := range grow {
		if a := n.do(c); !noSpace(a) {
			t.Errorf("scarce: %T: %+v", c, a)
		}
	}
	for _, c := range reads {
		n.must(c)
	}
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 2}).(*protocol.Jobs).Jobs
	n.must(&protocol.CompleteJob{JobKey: jobs[0].Key})
	n.must(&protocol.FailJob{JobKey: jobs[1].Key, Retries: 0})
	n.must(&protocol.UpdateJobRetries{JobKey: jobs[1].Key, Retries: 1})
	n.must(&protocol.ResolveIncident{IncidentKey: n.incident()})
	n.must(&protocol.CancelInstance{InstanceKey: keys[2]})

	r.set(t, 1<<20)
	n.must(list("timed", 1, "")) // its timer is due while nothing may be written
	r.set(t, 400)
	applied := n.part.Group().Applied()
	for _, c := range append(grow, &protocol.CompleteJob{JobKey: jobs[1].Key}, &protocol.CancelInstance{InstanceKey: keys[1]}) {
		if a := n.do(c); !noSpace(a) {
			t.Errorf("ended: %T: %+v", c, a)
		}
	}
	for _, c := range reads {
		n.must(c)
	}
	due := time.Now().Add(600 * time.Millisecond)
	eventually(t, func() bool { n.must(&protocol.PartitionInfo{}); return time.Now().After(due) })
	if now := n.part.Group().Applied(); now != applied {
		t.Errorf("written although there is no room: %+v, before %+v", now, applied)
	}
	if got := n.part.Gate().OutOfSpace(); got != uint64(2*len(grow)+2) {
		t.Errorf("%d refusals are counted", got)
	}

	r.set(t, 1<<20)
	jobsOf(n, 2) // the one that was resolved, and that of the timer
	n.must(create("p"))
}

// A follower without room takes no entries, and catches up when it has some.
func TestSpace_FollowerTakesNothing(t *testing.T) {
	t.Parallel()
	rooms := map[protocol.NodeID]*room{}
	nodes, _ := cluster(t, 3, partitionactor.Limits{}, func(n *node) {
		r := newRoom()
		rooms[n.id], n.space, n.room = r, r.watch, func() bool { return r.watch.Level() != diskspace.Ended }
	})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	follower := nodes[0]
	if follower == n {
		follower = nodes[1]
	}
	rooms[follower.id].set(t, 100)
	last := follower.part.Group().Status().Last
	for range 50 {
		n.must(create("p"))
	}
	if now := follower.part.Group().Status().Last; now > last+1 { // one may have been on its way
		t.Errorf("the follower's log went from %d to %d", last, now)
	}
	if p := follower.problem(); p != "" {
		t.Errorf("the follower is halted: %s", p)
	}
	rooms[follower.id].set(t, 1<<20)
	eventually(t, func() bool { return follower.part.Group().Applied() == n.part.Group().Applied() })
}
