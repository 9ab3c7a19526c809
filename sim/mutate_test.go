package sim

import "testing"

// TestMutations takes one safeguard away at a time, and expects some seed of a few
// to notice.
func TestMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds for each")
	}
	seeds := 400
	for _, m := range mutations {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				if r := guarded(seed+1, m); len(r.Wrong) > 0 {
					t.Logf("seed %d: %s", r.Seed, r.Wrong[0])
					return
				}
			}
			t.Errorf("none of %d seeds notices that there is no %s", seeds, m)
		})
	}
}
