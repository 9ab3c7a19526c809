package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// step does a step of the plan: its faults begin and end at their times, then
// everything has to recover.
func (r *run) step(s step) {
	r.report.steps++
	r.progress("step %d: %s", r.report.steps, s)
	type event struct {
		at time.Duration
		do func()
	}
	var events []event
	for _, f := range s.faults {
		heal := func() {}
		events = append(events, event{f.after, func() {
			undo, what := r.begin(f)
			if r.progress("    %s", what); undo != nil {
				heal = undo
			}
		}}, event{f.after + f.lasts, func() { heal() }})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	begun := time.Now()
	for _, e := range events {
		r.rest(e.at - time.Since(begun))
		e.do()
	}
	r.recover(s)
}

// rest lets the load go on for a while.
func (r *run) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// recover waits until everything is as it should be after the end of all faults,
// and notes how long that took.
func (r *run) recover(s step) {
	healed := r.h.Now()
	r.revive()
	name := kindsOf(s)
	served := r.wait(servesWithin, "every partition takes writes at every gateway", func(context.Context) error {
		for g := range r.load.clients {
			for p := 1; p <= r.partitions; p++ {
				if !r.probe.served(g, p, healed) {
					return fmt.Errorf("partition %d does not at gateway %d", p, g)
				}
			}
		}
		return nil
	})
	r.report.recovered("serves again", name, served)
	r.awaitChange()
	r.report.recovered("healthy again", name, r.wait(healthyWithin, "no node has anything to complain about", r.healthy))
	for _, do := range r.after {
		do()
	}
	r.after = nil
}

// revive starts again who died without our doing, and complains.
func (r *run) revive() {
	for i, n := range r.c.Nodes[:r.nodes] {
		if r.up(i) && !n.Running() {
			line, err := n.Exited(time.Second)
			r.h.Violation("node %d has ended by itself: %v: %s", i, err, line)
			n.Start()
		}
	}
}

// wait waits for a condition. That it does not come true in time is a violation.
func (r *run) wait(limit time.Duration, what string, cond func(context.Context) error) time.Duration {
	begun := time.Now()
	if err := cluster.Wait(limit, cond); err != nil {
		r.h.Violation("not within %s: %s: %v", limit, what, err)
		r.progress("    NOT within %s: %s: %v", limit, what, err)
	}
	return time.Since(begun)
}

// healthy asks all nodes that run.
func (r *run) healthy(ctx context.Context) error {
	for _, n := range r.c.Running() {
		if err := n.Health(ctx); err != nil {
			return fmt.Errorf("node %d: %w", n.ID, err)
		}
		s, err := n.Status(ctx)
		if err != nil {
			return fmt.Errorf("node %d: %w", n.ID, err)
		}
		if !s.Healthy {
			return fmt.Errorf("node %d says: %v", n.ID, s.Problems)
		}
	}
	return nil
}

// leader asks nodes who leads a partition; nil if none knows in time, or if that
// node is not up.
func (r *run) leader(partition int) *cluster.Node {
	for i, n := range r.c.Nodes[:r.nodes] {
		if !r.up(i) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		s, err := n.Status(ctx)
		cancel()
		if err != nil || len(s.Partitions) < partition {
			continue
		}
		if p := s.Partitions[partition-1]; p.Problem == "" && p.Leader >= 0 && p.Leader < r.nodes && r.up(p.Leader) {
			return r.c.Nodes[p.Leader]
		}
	}
	return nil
}

// leads lists the partitions that a node leads by its own word.
func (r *run) leads(n *cluster.Node) (list []int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s, err := n.Status(ctx); err == nil {
		list = s.Nodes[n.ID].Leads
	}
	return list
}

func kindsOf(s step) string {
	var list []string
	for _, f := range s.faults {
		list = append(list, string(f.kind))
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

var errSkipped = errors.New("not possible now")
