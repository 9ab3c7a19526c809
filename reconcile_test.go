package grevy

import (
	"slices"
	"testing"

	"github.com/grevy-io/grevy/raftadapter"
)

// Of servers that are to go those that vote go first, whatever order raft has.
func TestVotersFirst(t *testing.T) {
	t.Parallel()
	server := func(id string, voter bool) raftadapter.Server { return raftadapter.Server{ID: id, Voter: voter} }
	all := []raftadapter.Server{server("0-a", true), server("1-old", false), server("2-b", true), server("1-older", true), server("1-new", false)}
	got := votersFirst(all, func(s raftadapter.Server) bool { return s.ID == "1-old" || s.ID == "1-older" })
	if want := []raftadapter.Server{server("1-older", true), server("1-old", false)}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
