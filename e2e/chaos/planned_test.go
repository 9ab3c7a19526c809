package chaos

import (
	"slices"
	"strings"
	"testing"
)

func tell(seed uint64, s setup, steps int) []string {
	p := newPlan(seed, s)
	var list []string
	for range steps {
		list = append(list, p.next().String())
	}
	return list
}

// The same seed draws the same faults, another one others.
func TestPlan_OfASeed(t *testing.T) {
	s := setup{nodes: 3, partitions: 3, long: true}
	if a, b := tell(7, s, 200), tell(7, s, 200); !slices.Equal(a, b) {
		t.Errorf("seed 7 draws\n%s\nand then\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	if a, b := tell(7, s, 20), tell(8, s, 20); slices.Equal(a, b) {
		t.Error("two seeds draw the same")
	}
}

// Every kind comes before any comes a third time, what must be alone is, and what
// takes long is left out of short runs.
func TestPlan_EveryKindInTurn(t *testing.T) {
	for seed := range uint64(50) {
		for _, long := range []bool{true, false} {
			p := newPlan(seed, setup{nodes: 5, partitions: 4, long: long})
			counts := map[kind]int{}
			for range 2 * len(kinds) {
				s := p.next()
				for i, f := range s.faults {
					counts[f.kind]++
					if alone[f.kind] && len(s.faults) > 1 {
						t.Fatalf("seed %d: not alone: %s", seed, s)
					}
					if f.kind == apart && (f.leader != 1 || f.other < 2 || f.other > 4) || f.node > 4 || f.leader > 4 || f.lasts <= 0 {
						t.Fatalf("seed %d: %+v", seed, f)
					}
					if i == 1 && f.after > s.faults[0].lasts {
						t.Fatalf("seed %d: they do not overlap: %s", seed, s)
					}
				}
			}
			for _, k := range kinds {
				if n := counts[k]; n < 1 && (long || k != changeSize) || n > 0 && !long && k == changeSize {
					t.Errorf("seed %d, long %v: %d times %s", seed, long, n, k)
				}
			}
		}
	}
}
