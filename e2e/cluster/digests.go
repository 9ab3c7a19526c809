package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/grevy-io/grevy"
)

// ErrDiverged says that copies of a partition are not the same at the same index.
var ErrDiverged = errors.New("copies differ")

// SameDigests returns nil if all copies of every partition are at the same index
// and the same. Under load they seldom are at the same index: ask again. That
// they differ (ErrDiverged) does not pass.
func (c *Cluster) SameDigests(ctx context.Context) error {
	s, err := c.Running()[0].Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Partitions {
		var all []grevy.ReplicaDigest
		for _, n := range p.Replicas {
			d, err := c.Nodes[n].Digest(ctx, p.ID)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		if err := equalDigests(p.Replicas, all); err != nil {
			return fmt.Errorf("partition %d: %w", p.ID, err)
		}
	}
	return nil
}

func equalDigests(nodes []int, all []grevy.ReplicaDigest) (err error) {
	for i, d := range all {
		switch first := all[0]; {
		case d.Lacking > 0:
			return fmt.Errorf("%w: %d resources are not there on node %d", ErrDiverged, d.Lacking, nodes[i])
		case d.Index != first.Index:
			err = fmt.Errorf("node %d is at %d, node %d at %d", nodes[i], d.Index, nodes[0], first.Index)
		case d.Sum != first.Sum:
			return fmt.Errorf("%w at %d: %d rows on node %d, %d on node %d", ErrDiverged, d.Index, d.Rows, nodes[i], first.Rows, nodes[0])
		}
	}
	return err
}
