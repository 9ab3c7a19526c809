package raftadapter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Digest stands for all that a replica keeps of its partition. Replicas that have
// applied the same index have the same, whatever they did to get there.
type Digest struct {
	Index uint64 // last applied
	Rows  int64
	Sum   [sha256.Size]byte
	// Lacking counts resources that the partition names and the node does not
	// have, or not as they were.
	Lacking int64
}

// Digest reads the whole state of the partition, which takes as long as that is
// large. It holds nobody up.
func (g *Group) Digest(ctx context.Context) (Digest, error) {
	v, _ := g.fsm.view()
	defer v.Close()
	return digest(ctx, v)
}

// lookEvery is after how many rows it is looked whether anybody still waits.
const lookEvery = 1000

func digest(ctx context.Context, v *state.View) (d Digest, err error) {
	sum := sha256.New()
	rows := v.Iterate(nil, nil)
	defer rows.Close()
	for ; rows.Valid(); rows.Next() {
		if d.Rows%lookEvery == 0 && ctx.Err() != nil {
			return d, ctx.Err()
		}
		if err := d.row(v, sum, rows); err != nil {
			return d, err
		}
	}
	sum.Sum(d.Sum[:0])
	return d, nil
}

// row takes one row in, with its length, so that no two states read the same.
func (d *Digest) row(v *state.View, sum hash.Hash, rows state.Iterator) error {
	key := rows.Key()
	value, err := rows.Value()
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	if bytes.Equal(key, appliedKey) {
		at, err := decodePosition(value)
		if err != nil {
			return fmt.Errorf("digest: %w", err)
		}
		d.Index = at.Index
	}
	if key[0] == byte(state.TableContentRef) {
		whole, err := hasBody(v, protocol.Hash(key[1:]))
		if err != nil {
			return fmt.Errorf("digest: %w", err)
		}
		if !whole {
			d.Lacking++
		}
	}
	d.Rows++
	size := binary.AppendUvarint(nil, uint64(len(key)))
	sum.Write(binary.AppendUvarint(size, uint64(len(value)))) // a hash takes everything
	sum.Write(key)
	sum.Write(value)
	return nil
}

func hasBody(v *state.View, h protocol.Hash) (bool, error) {
	body, err := v.Body(h)
	return body != nil && sha256.Sum256(body) == h, err
}
