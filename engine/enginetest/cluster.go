package enginetest

import (
	"fmt"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state/memkv"
)

// Start is the time at which every cluster's clock begins, in ms since 1970.
const Start int64 = 1_000_000

// Config says how a cluster is made.
type Config struct {
	Partitions int // default 1
	// MessagePartitions is by how many of them messages are spread, as in
	// engine.Config.
	MessagePartitions int
	// OneNode puts all partitions on one node's store; otherwise each has its own.
	OneNode     bool
	MaxJobBytes int64
	// CommandBytes is the most that a command of the leader's own, or rows of
	// another partition, may write; default 8 MB.
	CommandBytes int
	// ShareAbove as in engine.Config.
	ShareAbove int
	// Records lets the engines record what happens.
	Records    bool
	ModelBytes int // of parsed models that are kept; default 8 MB
}

// Cluster is a set of partitions whose time stands still until Advance.
type Cluster struct {
	Config
	Now        int64
	partitions []*Partition
}

// NewCluster makes a cluster of empty partitions, each with its leader.
func NewCluster(c Config) (*Cluster, error) {
	c.Partitions = max(c.Partitions, 1)
	if c.ModelBytes == 0 {
		c.ModelBytes = 8 << 20
	}
	if c.CommandBytes == 0 {
		c.CommandBytes = 8 << 20
	}
	cl := &Cluster{Config: c, Now: Start}
	kv, models := memkv.New(), engine.NewModels(c.ModelBytes)
	for i := range c.Partitions {
		if !c.OneNode {
			kv, models = memkv.New(), engine.NewModels(c.ModelBytes)
		}
		p := &Partition{ID: protocol.PartitionID(i + 1), cluster: cl, kv: kv, models: models, epoch: uint64(100 * (i + 1))}
		if err := p.lead(); err != nil {
			return nil, err
		}
		cl.partitions = append(cl.partitions, p)
	}
	return cl, nil
}

// spread is by how many partitions messages are spread.
func (c *Config) spread() int {
	if c.MessagePartitions == 0 {
		return c.Partitions
	}
	return c.MessagePartitions
}

// Partition finds a partition by its number.
func (c *Cluster) Partition(id int) (*Partition, error) {
	if id < 1 || id > len(c.partitions) {
		return nil, fmt.Errorf("there is no partition %d", id)
	}
	return c.partitions[id-1], nil
}
