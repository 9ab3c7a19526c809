package cluster

import (
	"errors"
	"testing"

	"github.com/grevy-io/grevy"
)

// What differs at the same index is told from what is only behind.
func TestEqualDigests(t *testing.T) {
	d := func(index uint64, sum string, lacking int64) grevy.ReplicaDigest {
		return grevy.ReplicaDigest{Index: index, Sum: sum, Lacking: lacking}
	}
	for _, c := range []struct {
		name            string
		all             []grevy.ReplicaDigest
		equal, diverged bool
	}{
		{"the same", []grevy.ReplicaDigest{d(7, "a", 0), d(7, "a", 0), d(7, "a", 0)}, true, false},
		{"one is behind", []grevy.ReplicaDigest{d(7, "a", 0), d(6, "b", 0), d(7, "a", 0)}, false, false},
		{"one is otherwise", []grevy.ReplicaDigest{d(7, "a", 0), d(7, "a", 0), d(7, "b", 0)}, false, true},
		{"one is behind, another otherwise", []grevy.ReplicaDigest{d(7, "a", 0), d(6, "a", 0), d(7, "b", 0)}, false, true},
		{"one lacks content", []grevy.ReplicaDigest{d(7, "a", 0), d(7, "a", 1)}, false, true},
	} {
		err := equalDigests([]int{0, 1, 2}, c.all)
		if (err == nil) != c.equal || errors.Is(err, ErrDiverged) != c.diverged {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
