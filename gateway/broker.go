package gateway

import (
	"context"

	"github.com/grevy-io/grevy/protocol"
)

// Broker is what the gateway needs of the rest of the program. All methods are
// called concurrently and, but for Execute, on the way of every call: they must
// be fast and must not block.
type Broker interface {
	// Execute runs a command on the leader of a partition, wherever it is,
	// re-resolving it until ctx ends, or until the first refusal if ctx
	// [IsImpatient]. Errors: *protocol.Rejection; *protocol.Refusal (proof it was
	// not executed); wrapping protocol.ErrOutcomeUnknown or protocol.ErrInternal;
	// ctx.Err().
	//
	// A parked ActivateJobs or AwaitJobs whose ctx ends must be taken back at the
	// leader. If an ActivateJobs is answered although nobody waits any more, then
	// either Execute returns the jobs in spite of the ended ctx (the gateway
	// hands them back), or whoever holds the answer sends the YieldJobs.
	Execute(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error)
	// Topology describes the cluster as this node sees it.
	Topology() Topology
	// HasLeader tells whether a partition has a known leader (round robin skips
	// those without).
	HasLeader(p protocol.PartitionID) bool
	// DeploymentSeq is the deployment watermark this node knows (goes into
	// CreateInstance.DeploymentSeq).
	DeploymentSeq() uint64
}

// Topology is the cluster as one node sees it.
type Topology struct {
	// ClusterSize, Partitions and ReplicationFactor are as configured. Partitions
	// are numbered from 1; 0 means that the cluster is not known yet.
	ClusterSize, Partitions, ReplicationFactor int
	// Existing are the partitions that may be asked for what is theirs, if there
	// are some that are not given work yet. Messages is by how many partitions
	// messages are spread; it stays when partitions are added. 0: Partitions.
	Existing, Messages int
	Version            string
	Nodes              []Node
}

// Node is one broker of a [Topology], with the address its clients use.
type Node struct {
	ID         protocol.NodeID
	Host       string
	Port       int
	Version    string
	Partitions []NodePartition
}

// NodePartition is one partition as one node has it.
type NodePartition struct {
	ID     protocol.PartitionID
	Role   Role
	Health Health
}

// Role is what a node is in a partition.
type Role uint8

// The roles, as the original's topology has them.
const (
	RoleLeader Role = iota
	RoleFollower
	RoleInactive
)

// Health is how a node's partition does.
type Health uint8

// The states of health, as the original's topology has them.
const (
	Healthy Health = iota
	Unhealthy
	Dead
)

type impatientKey struct{}

// IsImpatient tells whether the gateway has something else to try: Execute
// should then return a refusal at once instead of looking for the leader again.
// Without this, one partition between two leaders would hold up calls that any
// other partition could serve.
func IsImpatient(ctx context.Context) bool { return ctx.Value(impatientKey{}) != nil }

func impatient(ctx context.Context) context.Context {
	return context.WithValue(ctx, impatientKey{}, true)
}
