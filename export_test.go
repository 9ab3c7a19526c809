package grevy

import "github.com/grevy-io/grevy/protocol"

// SetFree lets a test say how many bytes the disk has left.
func (c *Config) SetFree(free func() uint64) {
	c.free = func() (uint64, uint64, error) { return free(), 1 << 40, nil }
}

// TryReplica starts a replica of a partition, and tells whether it runs. By its plan
// the node gives one that it is not to keep up again, but not meanwhile.
func (b *Broker) TryReplica(p protocol.PartitionID) (runs bool, err error) {
	b.following.Lock()
	defer b.following.Unlock()
	err = b.startPartition(p)
	return b.part(p) != nil, err
}
