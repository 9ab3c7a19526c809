package grevy

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

// Ports of a node without an offset.
const (
	GatewayPort = 26500 // clients, gRPC
	RemotePort  = 26501 // nodes, the post
	RaftPort    = 26502 // nodes, raft
	GossipPort  = 26503 // nodes, memberlist (TCP and UDP)
	HTTPPort    = 9600  // metrics, health, status
)

// Config says what node to open. The zero value, with a DataDir, is a cluster of
// one node with three partitions.
type Config struct {
	// NodeID names the node in the cluster, from 0. It stays with the data
	// directory. A node with an id that is not below ClusterSize, and with Join,
	// joins a cluster that runs.
	NodeID int
	// ClusterSize is how many nodes the cluster begins with; default 1.
	ClusterSize int
	// Partitions of the cluster when it begins; default 3.
	Partitions int
	// ReplicationFactor is on how many nodes each partition is kept when the cluster
	// begins; default ClusterSize up to 3.
	ReplicationFactor int
	// Join lists gossip addresses (host:port) of nodes of the cluster. The
	// node's own may be among them. Not needed for a cluster of one.
	Join []string
	// DataDir holds everything the node keeps. It must not be shared.
	DataDir string
	// Host is the address that the node listens on, and at which the others
	// reach it; default 127.0.0.1 for a cluster of one, else needed.
	Host string
	// PortOffset is added to each of the five ports. Nodes on one host need
	// offsets that are 10 or more apart.
	PortOffset int
	// WithoutGateway and WithoutHTTP leave these listeners closed, for embedding.
	WithoutGateway, WithoutHTTP bool
	// NodeTLS, if its files are named, makes connections between nodes TLS with
	// certificates on both ends. All three are needed, on every node of the cluster;
	// whoever has no certificate of CA gets nothing.
	NodeTLS TLS
	// NodePlaintext allows a Host that other machines reach without NodeTLS:
	// everybody who reaches the node ports is then a node.
	NodePlaintext bool
	// ClientTLS, if Cert and Key are named, makes the gateway's port TLS; with CA,
	// clients must show a certificate of it.
	ClientTLS TLS
	// Admin says from whom the gateway takes calls that change the cluster; default
	// [AdminAuto].
	Admin Admin
	// MaxClients bounds the connections of clients at the gateway; default 4,096.
	MaxClients int
	// System is where the broker's actors live, so that it is the program's own
	// and its actors and the broker's send each other messages; default: one of
	// the broker's.
	System *actor.ActorSystem
	// Log gets what an operator would want to know; default slog.Default().
	Log *slog.Logger
	// Version is shown in the topology.
	Version string
	// StartTimeout bounds how long Open waits for the cluster to form; default 2
	// minutes.
	StartTimeout time.Duration
	// LeaderTimeout bounds how long Open waits for every partition to have a
	// leader before the gateway serves those that have; default 30 s.
	LeaderTimeout time.Duration
	// RequestTimeout bounds a client's call that says nothing itself; default 15 s.
	RequestTimeout time.Duration
	// MaxMessageSize bounds a client's request, in bytes; default 4 MiB.
	MaxMessageSize int
	// WaitDistributed makes a deployment or deletion wait so long for all partitions
	// to have it, if its request does not say; default: it is answered when
	// partition 1 has it and every gateway knows. WaitReachable: not for
	// partitions that cannot be reached.
	WaitDistributed time.Duration
	WaitReachable   bool
	// MinFree is how many bytes of the disk must be free for commands that make the
	// state grow; 0: a tenth of the disk, 1 GiB at most; below 0: it is not looked at.
	// StopFree is how many for anything to be written; 0: half of MinFree.
	MinFree, StopFree int64
	// ModelCache bounds the parsed models kept, in bytes; default 64 MiB.
	ModelCache int
	// RecordLog names a file to which every record is appended, one JSON object in
	// a line, in the original's exporter format (docs/records.md): what happens to
	// instances, jobs, variables and all else. "": none are made, which costs nothing.
	RecordLog string
	// OnRecord, if set, is given every record instead or as well, by the leaders of
	// this node: those of one partition in order and one at a time, each at least
	// once, again after an error, a restart or a change of leader. The bytes are
	// valid during the call only.
	OnRecord func(partition int, record []byte) error
	// Limits of each partition.
	Limits partitionactor.Limits
	// Tuning of raft, for tests and unusual machines.
	Tuning raftadapter.Tuning
	// Progress, if set, is told what Open is doing.
	Progress func(string)

	free func() (free, total uint64, err error) // of the disk; default: that of DataDir
}

func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.ClusterSize, 1)
	set(&c.Partitions, 3)
	set(&c.ReplicationFactor, min(c.ClusterSize, 3))
	set(&c.ModelCache, 64<<20)
	if c.Host == "" && c.ClusterSize == 1 && !c.joins() {
		c.Host = "127.0.0.1"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 2 * time.Minute
	}
	if c.LeaderTimeout == 0 {
		c.LeaderTimeout = 30 * time.Second
	}
	if c.Version == "" {
		c.Version = Version
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	return c
}

// maxNodes is how many nodes a cluster can have, and their ids below it.
const maxNodes = 1000

// Version is the protocol version that clients are told: what the original of
// that version does is what they may expect.
const Version = "8.6.0"

// joins tells whether a node comes to a cluster that has begun without it.
func (c Config) joins() bool { return len(c.Join) > 0 && c.NodeID >= max(c.ClusterSize, 1) }

// Validate says what is wrong with a configuration, with the name of the flag
// that sets it.
func (c Config) Validate() error {
	d := c.withDefaults()
	switch {
	case d.DataDir == "":
		return errors.New("data-dir: a directory is needed")
	case d.NodeID < 0 || d.NodeID >= d.ClusterSize && !d.joins() || d.NodeID >= maxNodes:
		return fmt.Errorf("node-id: must be from 0 to cluster-size - 1 = %d, not %d; a node that joins a running cluster needs --join", d.ClusterSize-1, d.NodeID)
	case d.ClusterSize < 1 || d.ClusterSize > maxNodes:
		return fmt.Errorf("cluster-size: must be from 1 to %d, not %d", maxNodes, d.ClusterSize)
	case d.Partitions < 1 || d.Partitions > cluster.MaxPartitions:
		return fmt.Errorf("partitions: must be from 1 to %d, not %d", cluster.MaxPartitions, d.Partitions)
	case d.ReplicationFactor < 1 || d.ReplicationFactor > d.ClusterSize:
		return fmt.Errorf("replication-factor: must be from 1 to cluster-size = %d, not %d", d.ClusterSize, d.ReplicationFactor)
	case d.ClusterSize > 1 && len(d.Join) == 0:
		return errors.New("join: a cluster of several nodes needs the gossip address of at least one other node")
	case (d.ClusterSize > 1 || d.joins()) && d.Host == "":
		return errors.New("host: a cluster of several nodes needs the address at which the others reach this one")
	case d.PortOffset < 0 || d.PortOffset > 65535-GatewayPort-10:
		return fmt.Errorf("port-offset: must be from 0 to %d, not %d", 65535-GatewayPort-10, d.PortOffset)
	}
	if d.MinFree > 0 && d.StopFree > d.MinFree {
		return fmt.Errorf("disk-stop-free: must not be above disk-min-free = %d, not %d", d.MinFree, d.StopFree)
	}
	if d.WaitDistributed < 0 {
		return fmt.Errorf("wait-distributed: must not be below 0, not %s", d.WaitDistributed)
	}
	if err := d.validateTLS(); err != nil {
		return err
	}
	for _, j := range d.Join {
		if _, _, err := net.SplitHostPort(j); err != nil {
			return fmt.Errorf("join: %q is not HOST:PORT", j)
		}
	}
	return nil
}

func (c Config) addr(port int) string {
	return joinHostPort(c.Host, port+c.PortOffset)
}

func (c Config) ports() remote.Ports {
	return remote.Ports{
		Gateway: GatewayPort + c.PortOffset, Remote: RemotePort + c.PortOffset, Raft: RaftPort + c.PortOffset,
		Gossip: GossipPort + c.PortOffset, HTTP: HTTPPort + c.PortOffset,
	}
}
