package grevy

import (
	"context"
	"fmt"
	"slices"
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
	UptimeSeconds     int64             `json:"uptimeSeconds"` // of the node that answers
	ReplicationFactor int               `json:"replicationFactor"`
	Changing          bool              `json:"changing"` // an operation is under way: grevy cluster status
	Healthy           bool              `json:"healthy"`
	Problems          []Problem         `json:"problems"`
	Nodes             []NodeStatus      `json:"nodes"`
	Partitions        []PartitionStatus `json:"partitions"`
	Deployments       uint64            `json:"deployments"` // counter of the deployment lane
	// Everywhere is up to which counter every partition has the deployments, as
	// far as they could be asked.
	Everywhere uint64 `json:"everywhere"`
	// Refused counts those of the newest 100 deployments that a partition refused.
	Refused int `json:"refused"`
}

// Problem is something that needs attention, and what to do or read next.
type Problem struct {
	Text string `json:"text"`
	Next string `json:"next"`
}

// NodeStatus is one node.
type NodeStatus struct {
	ID            int    `json:"id"`
	Address       string `json:"address"` // nodes' port
	Gateway       string `json:"gateway"` // clients' port
	HTTP          string `json:"http"`
	Version       string `json:"version"`
	Alive         bool   `json:"alive"`
	Ready         bool   `json:"ready"`
	Link          string `json:"link"` // from the node that answers: self, up, relayed through node N, down
	UptimeSeconds int64  `json:"uptimeSeconds"`
	Leads         []int  `json:"leads"`
	RSSBytes      int64  `json:"rssBytes"`  // 0: not known
	DiskBytes     int64  `json:"diskBytes"` // 0: not known
}

// PartitionStatus is one partition, by its leader's own word.
type PartitionStatus struct {
	ID       int    `json:"id"`
	Leader   int    `json:"leader"` // -1: none
	Term     uint64 `json:"term"`
	Applied  uint64 `json:"applied"`
	Replicas []int  `json:"replicas"`
	// Voters are the server ids (node.json) that decide, as the leader's node
	// knows, or else the node that answers. A node that lost its disk comes back
	// under another id and is not among them at first: then it is in NotVoting.
	Voters    []string `json:"voters"`
	NotVoting []int    `json:"notVoting"`
	// Lag is how many entries the slowest replica that answers is behind. The
	// answers are not of the same moment, so under load it is seldom 0.
	Lag         uint64 `json:"lag"`
	JobsActive  int64  `json:"jobsActive"`
	JobsWaiting int64  `json:"jobsWaiting"`
	Instances   int64  `json:"instances"`
	Incidents   int64  `json:"incidents"`
	// OldestIncident is since when the oldest one is there.
	OldestIncident *time.Time `json:"oldestIncident,omitempty"`
	Messages       int64      `json:"messages"` // that are kept
	DeploymentSeq  uint64     `json:"deploymentSeq"`
	Behind         uint64     `json:"behind"` // deployments not here yet
	// OldestPendingMs is how long the oldest push of this partition's outbox has
	// been pending.
	OldestPendingMs int64 `json:"oldestPendingMs"`
	Pending         int64 `json:"pending"`
	// Lanes are those that have something pending, or could not be sent.
	Lanes []LaneStatus `json:"lanes"`
	// Compared is how the definitions compare with those of partition 1, or for
	// that with those of the others.
	Compared CompareStatus `json:"compared"`
	Problem  string        `json:"problem,omitempty"`
	// RecordLog is why its records cannot be written, as the leader says.
	RecordLog string `json:"recordLog,omitempty"`
	// Restoring is the backup that it is being filled from.
	Restoring string `json:"restoring,omitempty"`
}

// LaneStatus is what a partition has to tell another and could not yet.
type LaneStatus struct {
	Target   int    `json:"target"`
	Lane     string `json:"lane"` // deployments, messages, signals
	Pending  int64  `json:"pending"`
	OldestMs int64  `json:"oldestMs"` // how long the oldest has been pending
	Attempts int    `json:"attempts"` // since the last progress
	Error    string `json:"error,omitempty"`
}

// CompareStatus is how a partition's definitions compare with others.
type CompareStatus struct {
	AgoMs    int64  `json:"agoMs"` // since the last comparison; -1: none yet
	Differs  int64  `json:"differs"`
	Repaired int64  `json:"repaired"` // definitions taken from others, by this leader
	Why      string `json:"why,omitempty"`
	Error    string `json:"error,omitempty"` // why it could not be made
}

// Status asks every partition's leader and every node, and sums up. It takes
// until ctx ends if some of them do not answer.
func (b *Broker) Status(ctx context.Context) Status {
	s := Status{
		Node: b.NodeID, Version: b.Version, UptimeSeconds: int64(time.Since(b.started).Seconds()),
		ReplicationFactor: b.factor(), Problems: []Problem{},
	}
	if !b.joined.Load() {
		s.Problems = append(s.Problems, Problem{"the cluster has not formed: " + b.missing(), "start all of its nodes, with the same --cluster-size, --partitions and --replication-factor"})
		s.Nodes, s.Partitions = b.nodeStatus(nil, map[int]nodeInfo{b.NodeID: b.ownInfo()}), []PartitionStatus{}
		return s
	}
	s.Cluster, s.Changing = b.plan().ClusterID, b.plan().Operation != nil
	var infos map[int]nodeInfo
	var wg sync.WaitGroup
	wg.Go(func() { infos = b.nodeInfos(ctx) })
	wg.Go(func() { s.Partitions = b.partitionStatus(ctx) })
	wg.Go(func() { s.Refused = b.refused(ctx) })
	wg.Wait()
	s.countDeployments()
	b.replicas(s.Partitions, infos)
	s.Nodes = b.nodeStatus(s.Partitions, infos)
	s.Problems = append(append(s.Problems, s.partitionProblems()...), s.nodeProblems(infos)...)
	s.Healthy = len(s.Problems) == 0
	return s
}

// countDeployments fills in what comes out of all partitions together.
func (s *Status) countDeployments() {
	for i := range s.Partitions {
		s.Deployments = max(s.Deployments, s.Partitions[i].DeploymentSeq)
	}
	s.Everywhere = s.Deployments
	for i := range s.Partitions {
		if p := &s.Partitions[i]; p.Problem == "" {
			p.Behind = s.Deployments - p.DeploymentSeq
			s.Everywhere = min(s.Everywhere, p.DeploymentSeq)
		}
	}
}

// staleAfter is how long a push may be pending before it counts as a problem.
const staleAfter = 2 * time.Second

func (s *Status) partitionProblems() (list []Problem) {
	for i := range s.Partitions {
		p := &s.Partitions[i]
		switch {
		case p.Leader < 0:
			list = append(list, Problem{
				fmt.Sprintf("partition %d has no leader", p.ID),
				fmt.Sprintf("start what is away of its nodes %v: a majority must run (grevy start, on their hosts)", p.Replicas),
			})
		case p.Problem != "":
			list = append(list, Problem{
				fmt.Sprintf("partition %d does not answer: %s", p.ID, p.Problem),
				fmt.Sprintf("read the log of node %d, its leader; ask again: grevy status --watch", p.Leader),
			})
		case p.Compared.Differs > 0:
			list = append(list, Problem{
				fmt.Sprintf("partition %d: %d of its definitions differ from those of others: %s", p.ID, p.Compared.Differs, p.Compared.Why),
				"docs/operations.md, \"Deployments everywhere\"",
			})
		case p.Behind > 0 && s.Partitions[0].OldestPendingMs > staleAfter.Milliseconds():
			list = append(list, Problem{
				fmt.Sprintf("partition %d is %d deployments behind, since %s", p.ID, p.Behind, (time.Duration(s.Partitions[0].OldestPendingMs) * time.Millisecond).Round(time.Second)),
				"why: grevy deployments",
			})
		}
		if p.Restoring != "" {
			list = append(list, Problem{
				fmt.Sprintf("partition %d takes no commands: it is being filled from the backup %s", p.ID, p.Restoring),
				"let grevy restore finish, or begin it again with the same backup (docs/operations.md, \"Backup and restore\")",
			})
		}
		if p.RecordLog != "" {
			list = append(list, Problem{
				fmt.Sprintf("partition %d: its records cannot be written: %s", p.ID, p.RecordLog),
				fmt.Sprintf("make room or access on node %d, its leader; nothing is lost meanwhile (docs/records.md says for how long)", p.Leader),
			})
		}
		if len(p.Replicas) < s.ReplicationFactor && !s.Changing {
			list = append(list, Problem{
				fmt.Sprintf("partition %d is kept on %d nodes, not on %d", p.ID, len(p.Replicas), s.ReplicationFactor),
				fmt.Sprintf("add nodes if there are too few, then: grevy cluster replication-factor %d", s.ReplicationFactor),
			})
		}
		if len(p.NotVoting) > 0 {
			list = append(list, Problem{
				fmt.Sprintf("partition %d: nodes %v do not count for its majority yet, they are being taken in", p.ID, p.NotVoting),
				fmt.Sprintf("wait: grevy status --watch. If it lasts, read the log of node %d, its leader", p.Leader),
			})
		}
	}
	return list
}

func (s *Status) nodeProblems(infos map[int]nodeInfo) (list []Problem) {
	for _, n := range s.Nodes {
		info, answered := infos[n.ID]
		if !n.Alive {
			list = append(list, Problem{fmt.Sprintf("node %d is away", n.ID), fmt.Sprintf("on its host: grevy start --node-id %d … (its log says why it ended)", n.ID)})
			continue
		}
		if !answered {
			list = append(list, Problem{fmt.Sprintf("node %d does not answer node %d", n.ID, s.Node), "ask it itself: grevy status --http " + n.HTTP})
		}
		for _, what := range info.Problems {
			list = append(list, Problem{fmt.Sprintf("node %d: %s", n.ID, what), fmt.Sprintf("read the log of node %d; docs/operations.md, \"Status problems\"", n.ID)})
		}
		for _, m := range s.Nodes {
			if link := info.Links[m.ID]; m.Alive && link != "" && link != linkUp {
				list = append(list, Problem{
					fmt.Sprintf("link from node %d to node %d: %s", n.ID, m.ID, link),
					fmt.Sprintf("check the network and firewalls between %s and %s (nodes' port, raft, gossip)", n.Address, m.Address),
				})
			}
		}
	}
	return list
}

func (b *Broker) partitionStatus(ctx context.Context) []PartitionStatus {
	list := make([]PartitionStatus, b.partitionCount())
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { list[i] = b.onePartition(ctx, protocol.PartitionID(i+1)) })
	}
	wg.Wait()
	return list
}

func (b *Broker) onePartition(ctx context.Context, p protocol.PartitionID) PartitionStatus {
	s := PartitionStatus{ID: int(p), Leader: int(directory{b}.Leader(p))}
	s.Replicas = b.layout(p).Replicas
	s.Voters, s.NotVoting, s.Lanes, s.Compared.AgoMs = []string{}, []int{}, []LaneStatus{}, -1
	info, err := ask[*protocol.Info](ctx, b, p, &protocol.PartitionInfo{})
	if err != nil {
		s.Problem = strings.ReplaceAll(err.Error(), "\n", "; ")
		return s
	}
	s.Term, s.Applied, s.DeploymentSeq = info.Term, info.Applied, info.DeploymentSeq
	s.JobsActive, s.JobsWaiting, s.Instances, s.Incidents = info.JobsActive, info.JobsWaiting, info.Instances, info.Incidents
	if s.Messages = info.Messages; info.OldestIncident > 0 {
		since := time.UnixMilli(info.OldestIncident)
		s.OldestIncident = &since
	}
	s.Pending, s.RecordLog, s.Restoring = info.Pending, info.RecordLog, info.Restoring
	now := time.Now().UnixMilli()
	if info.OldestPending > 0 {
		s.OldestPendingMs = now - info.OldestPending
	}
	s.spread(info, now)
	return s
}

// spread fills in how the partition does with the others.
func (s *PartitionStatus) spread(info *protocol.Info, now int64) {
	for _, l := range info.Lanes {
		lane := LaneStatus{Target: int(l.Target), Lane: l.Lane.String(), Pending: l.Pending, Attempts: int(l.Attempts), Error: l.Error}
		if l.Oldest > 0 {
			lane.OldestMs = now - l.Oldest
		}
		s.Lanes = append(s.Lanes, lane)
	}
	c := &info.Compared
	s.Compared = CompareStatus{AgoMs: -1, Differs: c.Differs, Repaired: c.Repaired, Why: c.Why, Error: c.Error}
	if c.At > 0 {
		s.Compared.AgoMs = now - c.At
	}
}

// replicas fills in what nodes tell of the partitions they keep.
func (b *Broker) replicas(parts []PartitionStatus, infos map[int]nodeInfo) {
	members := b.members.List()
	for i := range parts {
		p := &parts[i]
		servers := map[int]string{}
		for _, m := range members {
			if m.Alive {
				servers[int(m.NodeID)] = serverIn(m, protocol.PartitionID(p.ID))
			}
		}
		for _, by := range []int{p.Leader, b.NodeID} {
			if voters, ok := infos[by].Voters[p.ID]; ok {
				p.Voters = voters
				break
			}
		}
		for _, n := range p.Replicas {
			if id := servers[n]; id != "" && len(p.Voters) > 0 && !slices.Contains(p.Voters, id) {
				p.NotVoting = append(p.NotVoting, n)
			}
			if applied, ok := infos[n].Applied[p.ID]; ok && applied < p.Applied {
				p.Lag = max(p.Lag, p.Applied-applied)
			}
		}
	}
}

// refused counts refusals among the newest deployments; none if they can not
// be asked for, which is a problem of its own.
func (b *Broker) refused(ctx context.Context) (n int) {
	list, err := b.Deployments(ctx, 0, 100)
	if err != nil {
		return 0
	}
	for _, d := range list {
		n += min(len(d.Refused), 1)
	}
	return n
}

func (b *Broker) nodeStatus(parts []PartitionStatus, infos map[int]nodeInfo) []NodeStatus {
	seen := map[int]remote.Member{}
	for _, m := range b.members.List() {
		seen[int(m.NodeID)] = m
	}
	var list []NodeStatus
	for _, n := range b.nodes() {
		m, ok := seen[n]
		info := infos[n]
		s := NodeStatus{
			ID: n, Alive: ok && m.Alive, Ready: info.Ready, Version: m.Version, Leads: []int{},
			RSSBytes: info.RSSBytes, DiskBytes: info.DiskBytes, Link: infos[b.NodeID].Links[n],
		}
		if n == b.NodeID {
			s.Link = linkSelf
		}
		if ok {
			s.Address, s.Gateway, s.HTTP = joinHostPort(m.Host, m.Ports.Remote), joinHostPort(m.Host, m.Ports.Gateway), joinHostPort(m.Host, m.Ports.HTTP)
			s.UptimeSeconds = int64(time.Since(m.Started).Seconds())
		}
		for _, p := range parts {
			if p.Leader == n {
				s.Leads = append(s.Leads, p.ID)
			}
		}
		list = append(list, s)
	}
	return list
}
