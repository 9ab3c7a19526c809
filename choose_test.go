package grevy

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// A partition is asked once; one that says that it leads no more is not waited for
// while another may do it.
func TestInTurn(t *testing.T) {
	refused := func(code protocol.RefusalCode) error { return protocol.Refuse(code, 1, "") }
	rejected := protocol.Reject(protocol.NotFound, "CREATE", "no")
	for _, c := range []struct {
		name string
		say  []error // one for each question
		want error
	}{
		{"the second does it", []error{refused(protocol.NotLeader), nil}, nil},
		{"a rejection is an answer", []error{refused(protocol.Full), rejected}, rejected},
		{"an unknown outcome is one", []error{protocol.ErrOutcomeUnknown}, protocol.ErrOutcomeUnknown},
		{"a leader comes back", []error{refused(protocol.NotLeader), refused(protocol.Unreachable), refused(protocol.NotLeader), nil}, nil},
		{"who has too much to do is not pressed", []error{refused(protocol.Full), refused(protocol.NotLeader)}, refused(protocol.Full)},
	} {
		var asked []protocol.PartitionID
		_, err := inTurn(t.Context(), func() []protocol.PartitionID { return []protocol.PartitionID{2, 1} }, func(p protocol.PartitionID) (protocol.Reply, error) {
			asked = append(asked, p)
			return nil, c.say[len(asked)-1]
		})
		want := []protocol.PartitionID{2, 1, 2, 1}[:len(c.say)]
		if !slices.Equal(asked, want) || (err == nil) != (c.want == nil) || err != nil && err.Error() != c.want.Error() {
			t.Errorf("%s: asked %v, %v", c.name, asked, err)
		}
	}
	over, cancel := context.WithTimeout(t.Context(), 3*roundPause)
	defer cancel()
	began := time.Now()
	_, err := inTurn(over, func() []protocol.PartitionID { return []protocol.PartitionID{1} }, func(protocol.PartitionID) (protocol.Reply, error) {
		return nil, refused(protocol.NotLeader)
	})
	if took := time.Since(began); !errors.As(err, new(*protocol.Refusal)) || took < 2*roundPause {
		t.Errorf("nobody leads: %v after %s", err, took)
	}
}
