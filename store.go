package grevy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/grevy-io/grevy/state/badgerkv"
)

// openStore opens the node's store. One whose files are not what was written is
// set aside as a whole, if other nodes keep the partitions: the node begins with
// an empty one. What a partition's log has from its beginning is applied again;
// the others' replicas count as damaged and are copied anew (see startPartition).
// If there is no other node, nothing may be thrown away.
func (b *Broker) openStore(context.Context) error {
	dir := filepath.Join(b.DataDir, "state")
	var err error
	b.kv, err = badgerkv.Open(dir, b.Log)
	var bad *badgerkv.DamagedError
	if errors.As(err, &bad) {
		if b.keepsAlone() {
			return fmt.Errorf("%w (no other node keeps its partitions; docs/operations.md, \"A damaged replica\")", err)
		}
		if err = b.setStoreAside(dir, bad); err == nil {
			b.kv, err = badgerkv.Open(dir, b.Log)
		}
	}
	if err != nil {
		return err
	}
	b.onClose(b.kv.Close)
	return nil
}

// keepsAlone tells whether there is a partition that no other node keeps.
func (b *Broker) keepsAlone() bool {
	plan := b.plan()
	if plan == nil {
		return false // it has not begun: there is nothing to lose
	}
	for _, p := range plan.Held(b.NodeID) {
		if layout := plan.Of(p); len(layout.Replicas) == 1 && layout.Replicas[0] == b.NodeID {
			return true
		}
	}
	return false
}

// setStoreAside renames the directory of a damaged store.
func (b *Broker) setStoreAside(dir string, bad *badgerkv.DamagedError) error {
	for n := 1; ; n++ {
		kept := fmt.Sprintf("%s.damaged-%d", dir, n)
		if _, err := os.Stat(kept); err == nil {
			continue
		} else if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set damaged store aside: %w", err)
		}
		if err := errors.Join(os.Rename(dir, kept), syncDir(b.DataDir)); err != nil {
			return fmt.Errorf("set damaged store aside: %w", err)
		}
		b.Log.Warn("state store damaged, it is set aside and filled anew", "file", bad.File, "err", bad.Why, "kept", kept)
		b.storeKept = kept
		return nil
	}
}

// verifyEvery is how often the tables of the store are read and checked while the
// node runs.
const verifyEvery = 10 * time.Minute

// verifyStore looks for damage that has come since the start. Whatever is read
// from the store may be wrong then, or seem not to be there: the node ends, and
// its next start sets the store aside. A node that nobody can copy from goes on.
func (b *Broker) verifyStore(ctx context.Context) {
	err := b.kv.Verify(ctx)
	switch {
	case err == nil:
	case !b.keepsAlone() && errors.As(err, new(*badgerkv.DamagedError)):
		b.fail(fmt.Errorf("%w (start the node again: it has its partitions copied from the others)", err))
	default:
		if b.storeProblem.Swap(&err) == nil {
			b.Log.Error("the store cannot be verified", "err", err)
		}
	}
}
