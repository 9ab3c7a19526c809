package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/grevy-io/grevy"
)

// demoResult is what a demo measured.
type demoResult struct {
	Deployments          int         `json:"deployments"`
	DeploymentsPerSecond float64     `json:"deploymentsPerSecond"`
	EverywhereMs         float64     `json:"everywhereMs"` // after the last answer
	Instances            int         `json:"instances"`
	InstancesPerSecond   float64     `json:"instancesPerSecond"`
	Jobs                 int         `json:"jobs"`
	JobsPerSecond        float64     `json:"jobsPerSecond"`
	Leaders              map[int]int `json:"leaders"` // node by partition
	MemoryBytes          int64       `json:"memoryBytes"`
	PortOffsets          []int       `json:"portOffsets"`

	lastKey string // of the last deployment
	created int    // instances
}

func (d *demo) report(ctx context.Context) error {
	var s grevy.Status
	at := address(demoHost, grevy.HTTPPort+d.offsets[0])
	if err := fetchFrom(ctx, at, "/api/status", &s); err != nil {
		return fmt.Errorf("ask %s for the status: %w", at, err)
	}
	r := &d.result
	r.Leaders, r.PortOffsets, r.MemoryBytes = map[int]int{}, d.offsets, s.Nodes[0].RSSBytes
	var leaders []string
	for _, p := range s.Partitions {
		r.Leaders[p.ID] = p.Leader
		leaders = append(leaders, fmt.Sprintf("partition %d: node %d", p.ID, p.Leader))
	}
	if d.a.json() {
		return d.a.document(r)
	}
	t := newTable("", " ", " ", "")
	t.row("deployments", grouped(r.Deployments), grouped(int(r.DeploymentsPerSecond))+"/s", "one after another, each answered when it is durable on two nodes")
	t.row("everywhere", "", span(time.Duration(r.EverywhereMs*1000)*time.Microsecond), "after the last answer, on all partitions")
	t.row("instances", grouped(r.Instances), grouped(int(r.InstancesPerSecond))+"/s", fmt.Sprintf("%d callers", demoCallers))
	t.row("jobs", grouped(r.Jobs), grouped(int(r.JobsPerSecond))+"/s", "activated and completed")
	t.row("memory", "", size(r.MemoryBytes), "three nodes and the clients, in one process")
	t.row("leaders", "", "", strings.Join(leaders, ", "))
	return t.print(d.a.out)
}
