package grevy

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// Status is the cluster as one node sees it.
type Status struct {
	Cluster           string            `json:"cluster"`
	Node              int               `json:"node"` // who answers
	Version           string            `json:"version"`
	UptimeSeconds     int64             `json:"uptimeSeconds"`
	ReplicationFactor int               `json:"replicationFactor"`
	Healthy           bool              `json:"healthy"`
	Problems          []string          `json:"problems"`
	Nodes             []NodeStatus      `json:"nodes"`
	Partitions        []PartitionStatus `json:"partitions"`
	Deployments       uint64            `json:"deployments"` // counter of the deployment lane
}

// NodeStatus is one node.
type NodeStatus struct {
	ID            int    `json:"id"`
	Address       string `json:"address"`
	Version       string `json:"version"`
	Alive         bool   `json:"alive"`
	Link          string `json:"link"` // self, up, relayed, down
	UptimeSeconds int64  `json:"uptimeSeconds"`
	Leads         []int  `json:"leads"`
	RSSBytes      int64  `json:"rssBytes,omitempty"` // of the node that answers
}

// PartitionStatus is one partition, by its leader's own word.
type PartitionStatus struct {
	ID            int    `json:"id"`
	Leader        int    `json:"leader"` // -1: none
	Term          uint64 `json:"term"`
	Applied       uint64 `json:"applied"`
	Replicas      []int  `json:"replicas"`
	JobsActive    int64  `json:"jobsActive"`
	JobsWaiting   int64  `json:"jobsWaiting"`
	Instances     int64  `json:"instances"`
	Incidents     int64  `json:"incidents"`
	DeploymentSeq uint64 `json:"deploymentSeq"`
	Behind        uint64 `json:"behind"` // deployments not here yet
	// OldestPendingMs is how long the oldest push of this partition's outbox has
	// been pending.
	OldestPendingMs int64  `json:"oldestPendingMs"`
	Pending         int64  `json:"pending"`
	Problem         string `json:"problem,omitempty"`
}

// Status asks every partition's leader and sums up.
func (b *Broker) Status(ctx context.Context) Status {
	s := Status{
		Node: b.NodeID, Version: b.Version, UptimeSeconds: int64(time.Since(b.started).Seconds()),
		ReplicationFactor: b.ReplicationFactor, Problems: []string{},
	}
	if b.id.Plan != nil {
		s.Cluster = b.id.Plan.ClusterID
	}
	s.Partitions = b.partitionStatus(ctx)
	for i := range s.Partitions {
		s.Deployments = max(s.Deployments, s.Partitions[i].DeploymentSeq)
	}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		if p.Problem != "" {
			s.Problems = append(s.Problems, fmt.Sprintf("partition %d: %s", p.ID, p.Problem))
			continue
		}
		if p.Behind = s.Deployments - p.DeploymentSeq; p.Behind > 0 && p.stale(s.Partitions) {
			s.Problems = append(s.Problems, fmt.Sprintf("partition %d is %d deployments behind", p.ID, p.Behind))
		}
	}
	s.Nodes = b.nodeStatus(s.Partitions)
	for _, n := range s.Nodes {
		if !n.Alive {
			s.Problems = append(s.Problems, fmt.Sprintf("node %d is away", n.ID))
		} else if n.Link != "self" && n.Link != "up" {
			s.Problems = append(s.Problems, fmt.Sprintf("link from node %d to node %d is %s", b.NodeID, n.ID, n.Link))
		}
	}
	s.Healthy = len(s.Problems) == 0
	return s
}

// staleAfter is how long a push may be pending before it counts as a problem.
const staleAfter = 2 * time.Second

func (p *PartitionStatus) stale(all []PartitionStatus) bool {
	return all[0].OldestPendingMs > staleAfter.Milliseconds()
}

func (b *Broker) partitionStatus(ctx context.Context) []PartitionStatus {
	list := make([]PartitionStatus, b.Partitions)
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { list[i] = b.onePartition(ctx, protocol.PartitionID(i+1)) })
	}
	wg.Wait()
	return list
}

func (b *Broker) onePartition(ctx context.Context, p protocol.PartitionID) PartitionStatus {
	s := PartitionStatus{ID: int(p), Leader: int(directory{b}.Leader(p))}
	if b.id.Plan != nil {
		for _, n := range b.id.Plan.replicas(p) {
			s.Replicas = append(s.Replicas, int(n))
		}
	}
	reply, err := b.Execute(ctx, p, &protocol.PartitionInfo{})
	info, ok := reply.(*protocol.Info)
	if err != nil || !ok {
		s.Problem = fmt.Sprint(err)
		return s
	}
	s.Term, s.Applied, s.DeploymentSeq = info.Term, info.Applied, info.DeploymentSeq
	s.JobsActive, s.JobsWaiting, s.Instances, s.Incidents = info.JobsActive, info.JobsWaiting, info.Instances, info.Incidents
	s.Pending = info.Pending
	if info.OldestPending > 0 {
		s.OldestPendingMs = time.Now().UnixMilli() - info.OldestPending
	}
	return s
}

func (b *Broker) nodeStatus(parts []PartitionStatus) []NodeStatus {
	links := map[protocol.NodeID]string{protocol.NodeID(b.NodeID): "self"}
	for _, l := range b.post.Links() {
		switch {
		case l.Up:
			links[l.Peer] = "up"
		case l.Relay != protocol.NoNode:
			links[l.Peer] = fmt.Sprintf("relayed through node %d", l.Relay)
		default:
			links[l.Peer] = "down"
		}
	}
	seen := map[int]remote.Member{}
	for _, m := range b.members.List() {
		seen[int(m.NodeID)] = m
	}
	var list []NodeStatus
	for n := range b.ClusterSize {
		m, ok := seen[n]
		s := NodeStatus{ID: n, Alive: ok && m.Alive, Link: links[protocol.NodeID(n)], Version: m.Version, Leads: []int{}}
		if ok {
			s.Address = joinHostPort(m.Host, m.Ports.Remote)
			s.UptimeSeconds = int64(time.Since(m.Started).Seconds())
		}
		for _, p := range parts {
			if p.Leader == n {
				s.Leads = append(s.Leads, p.ID)
			}
		}
		if n == b.NodeID {
			s.RSSBytes = rss()
		}
		list = append(list, s)
	}
	return list
}

// rss is the resident memory of this process, 0 where the system does not say.
func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// DeploymentStatus is one deployment and where it is.
type DeploymentStatus struct {
	Key         string           `json:"key"`
	Time        time.Time        `json:"time"`
	Definitions []DefinitionInfo `json:"definitions"`
	Partitions  []int            `json:"partitions"` // that have it
	Pending     []PendingInfo    `json:"pending"`
	Refused     []RefusedInfo    `json:"refused"`
	State       string           `json:"state"` // everywhere, spreading, refused
}

// DefinitionInfo is one process of a deployment.
type DefinitionInfo struct {
	Key       string `json:"key"`
	ProcessID string `json:"processId"`
	Version   int32  `json:"version"`
	Resource  string `json:"resource"`
}

// PendingInfo is a partition that does not have a deployment yet, and why.
type PendingInfo struct {
	Partition int       `json:"partition"`
	Since     time.Time `json:"since"`
	Attempts  int       `json:"attempts"`
	Error     string    `json:"error,omitempty"`
}

// RefusedInfo is a partition that refused a deployment for good.
type RefusedInfo struct {
	Partition int    `json:"partition"`
	Reason    string `json:"reason"`
}

// Deployments lists deployments, newest first: those with a key below before,
// or from the newest if before is 0.
func (b *Broker) Deployments(ctx context.Context, before protocol.Key, limit int) ([]DeploymentStatus, error) {
	reply, err := b.Execute(ctx, protocol.DeploymentPartition, &protocol.ListDeployments{Before: before, Limit: int32(limit)})
	if err != nil {
		return nil, err
	}
	list := []DeploymentStatus{}
	for _, s := range reply.(*protocol.Deployments).List {
		list = append(list, b.deploymentStatus(&s))
	}
	return list, nil
}

func (b *Broker) deploymentStatus(s *protocol.DeploymentStatus) DeploymentStatus {
	d := DeploymentStatus{
		Key: s.Deployment.Key.String(), Time: time.UnixMilli(s.Deployment.Time), State: "everywhere",
		Pending: []PendingInfo{}, Refused: []RefusedInfo{}, Partitions: []int{},
	}
	for _, def := range s.Deployment.Definitions {
		d.Definitions = append(d.Definitions, DefinitionInfo{Key: def.Key.String(), ProcessID: def.ProcessID, Version: def.Version, Resource: def.ResourceName})
	}
	without := map[int]bool{}
	for _, p := range s.Refused {
		without[int(p.Partition)] = true
		d.State = "refused"
		d.Refused = append(d.Refused, RefusedInfo{Partition: int(p.Partition), Reason: p.Reason})
	}
	for _, p := range s.Pending {
		without[int(p.Partition)] = true
		d.State = "spreading"
		d.Pending = append(d.Pending, PendingInfo{Partition: int(p.Partition), Since: time.UnixMilli(p.Since), Attempts: int(p.Attempts), Error: p.Error})
	}
	for p := 1; p <= b.Partitions; p++ {
		if !without[p] {
			d.Partitions = append(d.Partitions, p)
		}
	}
	return d
}
