package grevy

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// identity is what a data directory knows of itself and its cluster (node.json).
// It is written before the first vote.
type identity struct {
	NodeID   int           `json:"nodeId"`
	ServerID string        `json:"serverId"`
	Plan     *cluster.Plan `json:"cluster,omitempty"` // nil until the cluster has begun; the newest that this node knows
	// Begun lists the partitions of which a replica has been started here: it has a log.
	Begun []protocol.PartitionID `json:"begun,omitempty"`
	// Replicas counts, by partition, the replicas that were set aside because they
	// were damaged, or given up because the partition went elsewhere. The one after
	// them is another server (raftadapter.ReplicaID). It never falls, or a server
	// would vote that has forgotten its votes.
	Replicas map[protocol.PartitionID]uint64 `json:"replicas,omitempty"`
}

// self is what this node knows of itself now. It is not changed in place.
func (b *Broker) self() *identity { return b.identity.Load() }

// note changes what this node knows of itself, on the disk first.
func (b *Broker) note(change func(*identity)) error {
	b.noting.Lock()
	defer b.noting.Unlock()
	next := *b.self()
	next.Begun, next.Replicas = slices.Clone(next.Begun), maps.Clone(next.Replicas)
	if next.Replicas == nil {
		next.Replicas = map[protocol.PartitionID]uint64{}
	}
	change(&next)
	if err := next.save(b.DataDir); err != nil {
		return err
	}
	b.identity.Store(&next)
	return nil
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

// ErrRemoved says that a node has left its cluster for good.
var ErrRemoved = errors.New("this node was removed from its cluster; to join again it needs an empty directory")

// fits refuses a directory that belongs to something else.
func (id *identity) fits(c Config) error {
	if id.NodeID != c.NodeID {
		return fmt.Errorf("data-dir: %s belongs to node %d, not to node %d", c.DataDir, id.NodeID, c.NodeID)
	}
	if id.Plan == nil {
		return nil
	}
	if id.Plan.Left(id.ServerID) {
		return fmt.Errorf("data-dir: %s: %w", c.DataDir, ErrRemoved)
	}
	if c.joins() {
		return nil // it has no part in how the cluster began
	}
	p := id.Plan.Began
	for _, v := range []struct {
		flag      string
		want, got int
	}{{"cluster-size", c.ClusterSize, p.Nodes}, {"partitions", c.Partitions, p.Partitions}, {"replication-factor", c.ReplicationFactor, p.ReplicationFactor}} {
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
