package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Messages whose time is over are forgotten a few at a time if they are large:
// neither are all of them read at once, nor do the records of all go into one
// entry.
func TestExpiry_LargeMessagesInParts(t *testing.T) {
	for _, records := range []bool{false, true} {
		t.Run(fmt.Sprintf("records=%v", records), func(t *testing.T) { expireLarge(t, records) })
	}
}

func expireLarge(t *testing.T, records bool) {
	const messages, size = 40, 512 << 10
	cluster, err := enginetest.NewCluster(enginetest.Config{Records: records})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	doc := []byte(`{"d":"` + strings.Repeat("x", size) + `"}`)
	for i := range messages {
		_, err := p.Execute(&protocol.PublishMessage{Name: "m", CorrelationKey: fmt.Sprint(i), TimeToLive: 1000, Variables: doc})
		check(t, err)
		check(t, p.CommitAll())
	}
	check(t, p.Crash()) // nothing lies over what is committed
	cluster.Now += 1000
	next := protocol.Command(&protocol.Tick{})
	for n := 1; next != nil; n++ {
		cmd := next
		next = nil
		read := allocatedBy(func() {
			out, err := p.Execute(cmd)
			check(t, err)
			if out.Effects.Continue {
				next = &protocol.Continue{}
			}
		})
		if read > 24*size {
			t.Errorf("command %d of %d messages allocates %d bytes", n, messages, read)
		}
		e, err := p.Pack()
		check(t, err)
		if len(e.Data) > 4*size {
			t.Errorf("entry %d has %d bytes", n, len(e.Data))
		}
		check(t, p.Apply())
	}
	seen, err := p.Contents()
	check(t, err)
	if n := len(seen.Rows[state.TableMessage]) + len(seen.Rows[state.TableExpiry]); n > 0 {
		t.Errorf("%d rows of messages are left", n)
	}
}
