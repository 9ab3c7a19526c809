package grevy

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// identity is what a data directory knows of itself and its cluster (node.json).
// It is written before the first vote.
type identity struct {
	NodeID   int    `json:"nodeId"`
	ServerID string `json:"serverId"`
	Plan     *plan  `json:"cluster,omitempty"` // nil until the cluster has begun
	// Begun: the partitions have been started here once, so each has a log.
	Begun bool `json:"begun,omitempty"`
	// Replicas counts, by partition, the replicas that were damaged and set aside.
	// The one after them is another server (raftadapter.ReplicaID). It never falls,
	// or a server would vote that has forgotten its votes.
	Replicas map[protocol.PartitionID]uint64 `json:"replicas,omitempty"`
}

// plan is how a cluster begins: one node makes it, all others take it over.
type plan struct {
	ClusterID         string         `json:"clusterId"` // 16 bytes in hex
	ClusterSize       int            `json:"clusterSize"`
	Partitions        int            `json:"partitions"`
	ReplicationFactor int            `json:"replicationFactor"`
	Servers           map[int]string `json:"servers"` // by node: its server id when the cluster began
}

func (p *plan) id() (id [16]byte) {
	if b, err := hex.DecodeString(p.ClusterID); err == nil {
		copy(id[:], b)
	}
	return id
}

// replicas lists the nodes that keep a partition; the first one is preferred as
// its leader. Partition p stands on node p-1 and those after it, round robin.
func (p *plan) replicas(partition protocol.PartitionID) []protocol.NodeID {
	nodes := make([]protocol.NodeID, p.ReplicationFactor)
	for i := range nodes {
		nodes[i] = protocol.NodeID((int(partition) - 1 + i) % p.ClusterSize)
	}
	return nodes
}

// group is the configuration with which a partition's raft group begins.
func (p *plan) group(partition protocol.PartitionID) []raftadapter.Server {
	var servers []raftadapter.Server
	for _, n := range p.replicas(partition) {
		servers = append(servers, raftadapter.Server{ID: p.Servers[int(n)], Voter: true})
	}
	return servers
}

// held lists the partitions that a node keeps.
func (p *plan) held(node protocol.NodeID) []protocol.PartitionID {
	var list []protocol.PartitionID
	for i := 1; i <= p.Partitions; i++ {
		for _, n := range p.replicas(protocol.PartitionID(i)) {
			if n == node {
				list = append(list, protocol.PartitionID(i))
			}
		}
	}
	return list
}

const identityFile = "node.json"

// openIdentity reads the identity of a data directory, or makes one. It holds
// the directory's lock from then on.
func openIdentity(c Config) (*identity, *os.File, error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("data-dir: cannot make %s: %w", c.DataDir, plain(err))
	}
	lock, err := os.OpenFile(filepath.Join(c.DataDir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("data-dir: cannot write to %s: %w", c.DataDir, plain(err))
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("data-dir: %s is in use by another process", c.DataDir), lock.Close())
	}
	id, err := readIdentity(c)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return id, lock, nil
}

// plain takes the system's words out of a path error.
func plain(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func readIdentity(c Config) (*identity, error) {
	b, err := os.ReadFile(filepath.Join(c.DataDir, identityFile))
	if errors.Is(err, os.ErrNotExist) {
		id := &identity{NodeID: c.NodeID, ServerID: fmt.Sprintf("%d-%s", c.NodeID, randomHex(6))}
		return id, id.save(c.DataDir)
	}
	if err != nil {
		return nil, fmt.Errorf("data-dir: %w", err)
	}
	id := new(identity)
	if err := json.Unmarshal(b, id); err != nil {
		return nil, fmt.Errorf("data-dir: %s is damaged: %w", filepath.Join(c.DataDir, identityFile), err)
	}
	return id, id.fits(c)
}

// fits refuses a directory that belongs to something else.
func (id *identity) fits(c Config) error {
	if id.NodeID != c.NodeID {
		return fmt.Errorf("data-dir: %s belongs to node %d, not to node %d", c.DataDir, id.NodeID, c.NodeID)
	}
	if id.Plan == nil {
		return nil
	}
	p := id.Plan
	for _, v := range []struct {
		flag      string
		want, got int
	}{{"cluster-size", c.ClusterSize, p.ClusterSize}, {"partitions", c.Partitions, p.Partitions}, {"replication-factor", c.ReplicationFactor, p.ReplicationFactor}} {
		if v.want != v.got {
			return fmt.Errorf("%s: the cluster in %s began with %d, not %d", v.flag, c.DataDir, v.got, v.want)
		}
	}
	return nil
}

// save writes the identity so that a crash leaves the old or the new one.
func (id *identity) save(dir string) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, identityFile)
	if err := writeSynced(path+".new", append(b, '\n')); err != nil {
		return fmt.Errorf("data-dir: cannot write %s: %w", path, plain(err))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("data-dir: %w", err)
	}
	return syncDir(dir)
}

func writeSynced(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// bootID names the running kernel; "unknown" where the system does not say,
// which is treated as the same machine still running.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
