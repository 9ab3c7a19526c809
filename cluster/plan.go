package cluster

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Plan is a cluster's layout.
type Plan struct {
	ClusterID string `json:"clusterId"` // 16 bytes in hex
	// Version counts the changes: of two plans of a cluster the higher one holds.
	Version uint64 `json:"version"`
	Began   Began  `json:"began"`
	// ReplicationFactor is on how many nodes each partition is to be kept.
	ReplicationFactor int      `json:"replicationFactor"`
	Members           []Member `json:"members"` // by node
	// Partitions are all that there are; the first Active of them are given work.
	Partitions []Partition `json:"partitions"`
	Active     int         `json:"active"`
	// Messages is over how many partitions messages are spread, if the cluster was
	// filled from a backup of one that had begun otherwise; 0: as it began.
	Messages int `json:"messages,omitempty"`
	// Gone are the servers that have left. They never come back under these ids.
	Gone []string `json:"gone,omitempty"`
	// Operation is under way; Last was the one before.
	Operation *Operation `json:"operation,omitempty"`
	Last      *Operation `json:"last,omitempty"`
}

// Began is how the cluster began. It never changes: raft groups begin by it,
// and messages find their partition by it (MessagePartitions).
type Began struct {
	Nodes             int            `json:"nodes"`
	Partitions        int            `json:"partitions"`
	ReplicationFactor int            `json:"replicationFactor"`
	Servers           map[int]string `json:"servers"` // by node: its server id then
}

// Member is a node of the cluster.
type Member struct {
	Node   int    `json:"node"`
	Server string `json:"server"` // its server id; another one after its disk was lost
}

// Partition is where a partition is kept.
type Partition struct {
	// Replicas are the nodes that vote; the first is preferred as leader.
	Replicas []int `json:"replicas"`
	// Learners are nodes to which it is being copied.
	Learners []int `json:"learners,omitempty"`
	// Founder is the server that begins the group of a partition that was added.
	Founder string `json:"founder,omitempty"`
}

// New lays a cluster out that begins: partition p stands on node p-1 and those
// after it, round robin.
func New(clusterID string, b Began) *Plan {
	p := &Plan{ClusterID: clusterID, Began: b, ReplicationFactor: b.ReplicationFactor, Active: b.Partitions}
	for n := range b.Nodes {
		p.Members = append(p.Members, Member{Node: n, Server: b.Servers[n]})
	}
	for i := 1; i <= b.Partitions; i++ {
		p.Partitions = append(p.Partitions, Partition{Replicas: b.Replicas(protocol.PartitionID(i))})
	}
	return p
}

// Replicas lists the nodes on which a partition stood when the cluster began.
func (b *Began) Replicas(p protocol.PartitionID) []int {
	if int(p) > b.Partitions {
		return nil
	}
	nodes := make([]int, b.ReplicationFactor)
	for i := range nodes {
		nodes[i] = (int(p) - 1 + i) % b.Nodes
	}
	return nodes
}

// Decode reads a plan and checks that it holds together.
func Decode(b []byte) (*Plan, error) {
	p := new(Plan)
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return p, p.check()
}

// check refuses what no cluster can have written.
func (p *Plan) check() error {
	switch {
	case len(p.ClusterID) != 32:
		return fmt.Errorf("read plan: cluster id %q", p.ClusterID)
	case p.Began.Nodes < 1 || p.Began.Partitions < 1 || p.Began.ReplicationFactor < 1 || p.Began.ReplicationFactor > p.Began.Nodes:
		return fmt.Errorf("read plan: it began with %d nodes, %d partitions, %d replicas", p.Began.Nodes, p.Began.Partitions, p.Began.ReplicationFactor)
	case p.Active < p.Began.Partitions || p.Active > len(p.Partitions) || len(p.Members) == 0:
		return fmt.Errorf("read plan: %d members, %d of %d partitions active", len(p.Members), p.Active, len(p.Partitions))
	case p.Messages < 0 || p.Messages > p.Active:
		return fmt.Errorf("read plan: messages are spread over %d of %d partitions", p.Messages, p.Active)
	case p.Operation != nil && (p.Operation.At < 0 || p.Operation.At >= len(p.Operation.Steps)):
		return fmt.Errorf("read plan: step %d of %d", p.Operation.At, len(p.Operation.Steps))
	}
	for i := range p.Partitions {
		if len(p.Partitions[i].Replicas) == 0 {
			return fmt.Errorf("read plan: partition %d stands nowhere", i+1)
		}
	}
	return nil
}

// Encode is the inverse of Decode.
func (p *Plan) Encode() ([]byte, error) { return json.Marshal(p) }

// MessagePartitions is over how many partitions messages are spread, by the hashes
// of their correlation keys. It stays when partitions are added.
func (p *Plan) MessagePartitions() int {
	if p.Messages > 0 {
		return p.Messages
	}
	return p.Began.Partitions
}

// SpreadMessages is the plan with messages spread over n partitions, nil if they are.
// It is for a cluster that is being filled from a backup and has no messages yet.
func (p *Plan) SpreadMessages(n int) *Plan {
	if n == p.MessagePartitions() {
		return nil
	}
	next := p.clone()
	next.Version++
	next.Messages = n
	return next
}

// ID is the cluster's id in bytes.
func (p *Plan) ID() (id [16]byte) {
	if b, err := hex.DecodeString(p.ClusterID); err == nil {
		copy(id[:], b)
	}
	return id
}

// Of is the layout of a partition, nothing if there is none.
func (p *Plan) Of(id protocol.PartitionID) Partition {
	if id < 1 || int(id) > len(p.Partitions) {
		return Partition{}
	}
	return p.Partitions[id-1]
}

// Nodes are all that keep a partition or are about to.
func (p *Partition) Nodes() []int { return append(slices.Clone(p.Replicas), p.Learners...) }

// Targets is how many partitions are told what all are told: those that are given
// work, and one that is about to be.
func (p *Plan) Targets() int {
	if o := p.Operation; o != nil && o.Steps[o.At].Kind == Define {
		return max(p.Active, int(o.Steps[o.At].Partition))
	}
	return p.Active
}

// Held lists the partitions that a node keeps or is about to.
func (p *Plan) Held(node int) (list []protocol.PartitionID) {
	for i := range p.Partitions {
		if slices.Contains(p.Partitions[i].Nodes(), node) {
			list = append(list, protocol.PartitionID(i+1))
		}
	}
	return list
}

// Member finds a node.
func (p *Plan) Member(node int) (Member, bool) {
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.Node == node })
	if i < 0 {
		return Member{}, false
	}
	return p.Members[i], true
}

// Left tells whether a server has left the cluster for good.
func (p *Plan) Left(server string) bool { return slices.Contains(p.Gone, server) }

// Join takes a node in that was started beside the cluster, or notes the new
// server id of one that lost its disk. The former id may come back: the disk may
// have been mislaid, and be all there is. nil: nothing is to be noted.
func (p *Plan) Join(node int, server string) *Plan {
	m, known := p.Member(node)
	if known && m.Server == server || server == "" || p.Left(server) {
		return nil
	}
	next := p.clone()
	next.Version++
	if known {
		next.Members = slices.DeleteFunc(next.Members, func(m Member) bool { return m.Node == node })
	}
	next.Members = append(next.Members, Member{Node: node, Server: server})
	slices.SortFunc(next.Members, func(a, b Member) int { return a.Node - b.Node })
	return next
}

// clone copies a plan so that what changes in it may be changed.
func (p *Plan) clone() *Plan {
	c := *p
	c.Members = slices.Clone(p.Members)
	c.Gone = slices.Clone(p.Gone)
	c.Began.Servers = maps.Clone(p.Began.Servers)
	c.Partitions = slices.Clone(p.Partitions)
	for i := range c.Partitions {
		c.Partitions[i].Replicas = slices.Clone(c.Partitions[i].Replicas)
		c.Partitions[i].Learners = slices.Clone(c.Partitions[i].Learners)
	}
	if p.Operation != nil {
		o := *p.Operation
		o.Steps = slices.Clone(o.Steps)
		c.Operation = &o
	}
	return &c
}
