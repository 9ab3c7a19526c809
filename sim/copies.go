package sim

import (
	"fmt"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// copies is a backup of all partitions that is being taken, as grevy's own does:
// all hold, then each is cut, then they are let go on (partitionactor/hold.go).
type copies struct {
	w       *world
	token   uint64
	from    int // the node that asks
	held    int
	cut     int
	over    bool
	of      map[protocol.PartitionID]*state.View
	restore int // how many there had been
}

// copyTime is how long the partitions hold, and how long each is waited for.
const copyTime = 2 * time.Second

// copyAll begins one, unless the last is not over.
func (w *world) copyAll() {
	if w.copying != nil {
		return
	}
	c := &copies{w: w, token: w.rnd.Uint64() | 1, from: w.rnd.IntN(len(w.nodes)), of: map[protocol.PartitionID]*state.View{}, restore: w.stats.Restores}
	w.copying = c
	w.note("node %d begins backup %x", c.from, c.token)
	for _, g := range w.groups {
		c.ask(g.id, &protocol.Hold{Token: c.token, For: copyTime.Milliseconds()}, func() {
			if c.held++; c.held == len(w.groups) || w.mutant == noHold {
				c.cutAll(g.id)
			}
		})
	}
	w.after(copyTime, func() { c.end("it takes too long") })
}

// ask asks one partition; without a yes the backup has failed.
func (c *copies) ask(p protocol.PartitionID, cmd protocol.Command, then func()) {
	c.w.ask(c.from, p, cmd, copyTime, nil, func(_ protocol.Reply, err error) {
		switch {
		case c.over:
		case err != nil:
			c.end(err.Error())
		default:
			then()
		}
	})
}

// cutAll cuts all partitions; without the safeguard each as soon as it holds.
func (c *copies) cutAll(last protocol.PartitionID) {
	for _, g := range c.w.groups {
		if c.w.mutant != noHold || g.id == last {
			c.ask(g.id, &protocol.Cut{Token: c.token}, func() {
				if c.cut++; c.cut == len(c.w.groups) {
					c.check()
					c.end("done")
				}
			})
		}
	}
}

// Cut is partitionactor.Host's.
func (l *life) Cut(token uint64) {
	if c := l.w.copying; c != nil && c.token == token {
		c.of[l.r.group.id] = l.r.machine.Cut().View()
	}
}

func (c *copies) end(why string) {
	if c.over {
		return
	}
	c.over = true
	c.w.copying = nil
	c.w.note("backup %x: %s", c.token, why)
	for _, g := range c.w.groups {
		c.w.ask(c.from, g.id, &protocol.Hold{Token: c.token}, copyTime, nil, func(protocol.Reply, error) {})
	}
}

// check looks whether what partitions have of each other goes together: nothing was
// received that was not sent, and nothing is forgotten that was not received.
func (c *copies) check() {
	if c.w.stats.Restores > 0 {
		return // partitions do not go together any more until they have compared
	}
	c.w.stats.Copies++
	tx := map[protocol.PartitionID]*state.Tx{}
	for p, v := range c.of {
		over, err := state.NewOverlay(v, 1)
		must(err)
		tx[p] = state.NewTx(over)
	}
	for _, s := range c.w.groups {
		for _, r := range c.w.groups {
			from, to := s.id, r.id
			for _, lane := range []protocol.Lane{protocol.LaneDeployments, protocol.LaneMessages, protocol.LaneSignals} {
				if from == to {
					continue
				}
				if wrong := together(tx[from], tx[to], from, to, lane); wrong != "" {
					c.w.fail("backup %x: lane %v from partition %d to %d: %s", c.token, lane, from, to, wrong)
				}
			}
		}
	}
}

func together(sender, receiver *state.Tx, from, to protocol.PartitionID, lane protocol.Lane) string {
	sent, got, first := sender.LaneSeqTo(lane, to), receiver.Inbox(from, lane), sender.FirstOutbox(to, lane)
	if got.Epoch != sender.Epoch() {
		got.Seq = 0
	}
	switch {
	case got.Seq > sent:
		return fmt.Sprintf("%d rows received, %d sent", got.Seq, sent)
	case got.Seq < sent && (first == 0 || first > got.Seq+1):
		return fmt.Sprintf("%d rows received of %d sent, the first that is kept is %d", got.Seq, sent, first)
	}
	return ""
}
