package sim

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// finish heals everything and looks at what is left.
func (w *world) finish() {
	if len(w.wrong) > 0 {
		return
	}
	w.heal()
	if w.stats.Restores > 0 && !w.compares() {
		// A restored partition hears of what it lacks with the next deployment.
		w.clients[0].sure(orderModel(-1))
	}
	for end := w.now + 30*time.Second; w.now < end && !w.settled() && len(w.wrong) == 0; {
		w.runUntil(w.now + 200*time.Millisecond)
	}
	if len(w.wrong) > 0 {
		return
	}
	if why := w.unsettled(); why != "" {
		w.fail("after everything has healed: %s", why)
		return
	}
	var all []*enginetest.Contents
	for _, g := range w.groups {
		g.oracle.check()
		all = append(all, g.oracle.contents())
	}
	w.books.check(all)
}

func (w *world) settled() bool { return w.unsettled() == "" }

// unsettled says what is not at rest yet.
func (w *world) unsettled() string {
	for _, g := range w.groups {
		if g.commit < g.last() || g.leader < 0 {
			return fmt.Sprintf("partition %d has not committed everything", g.id)
		}
		for _, r := range g.members {
			if r.machine.Applied().Index < g.commit {
				return fmt.Sprintf("partition %d has not applied everything on node %d", g.id, r.node.id)
			}
		}
		if c := g.oracle.contents(); len(c.Outbox) > 0 {
			row := c.Outbox[0]
			return fmt.Sprintf("partition %d has %d rows in its outbox, the first is %d in lane %d to %d", g.id, len(c.Outbox), row.Seq, row.Lane, row.Target)
		}
	}
	if why := w.unequal(); why != "" {
		return why
	}
	for _, o := range w.books.orders {
		for _, p := range o.payments {
			if !p.sure {
				return fmt.Sprintf("message %d is not published", p.id)
			}
		}
	}
	return ""
}

// unequal compares what the partitions know to be deployed.
func (w *world) unequal() string {
	list := func(c *enginetest.Contents) (out []string) {
		for key, d := range c.Definitions {
			if !d.Deleted {
				out = append(out, fmt.Sprintf("%d %s version %d %x", key, d.ID, d.Version, d.Hash[:4]))
			}
		}
		slices.Sort(out)
		return out
	}
	want := list(w.groups[0].oracle.contents())
	for i, g := range w.groups {
		if got := list(g.oracle.contents()); !slices.Equal(got, want) {
			return fmt.Sprintf("partition %d has definitions %v, partition 1 has %v", i+1, got, want)
		}
	}
	return ""
}

// check compares what clients were told with what is there.
func (b *books) check(all []*enginetest.Contents) {
	for _, o := range b.orders {
		if o.key == 0 || o.lost {
			continue
		}
		c := all[o.p-1]
		got, rung := numbers(c, o.key, "got"), numbers(c, o.key, "rung")
		b.w.stats.Correlated += len(got)
		b.w.stats.Rung += len(rung)
		if at := protocol.MessagePartition(o.id, b.w.partitions()); b.w.group(at).life == 0 {
			b.paid(o, got)
		}
		b.heard(o, rung)
		if !o.closing {
			b.untouched(o, c)
		}
	}
}

// untouched expects an order that nobody has touched to be as it was left.
func (b *books) untouched(o *order, c *enginetest.Contents) {
	root := c.Elements[o.key]
	if root == nil {
		b.w.fail("order %s was made, and is not there", o.id)
		return
	}
	value := -1
	for _, v := range root.Variables {
		if v.Name == "n" {
			value, _ = strconv.Atoi(string(v.Value))
		}
	}
	if value != o.value && !slices.Contains(o.maybe, value) {
		b.w.fail("order %s has value %d, but it was set to %d, and perhaps %v", o.id, value, o.value, o.maybe)
	}
	for _, k := range c.Jobs {
		if k.Instance == o.key && k.Type == holdType {
			return
		}
	}
	b.w.fail("nothing holds order %s", o.id)
}

// paid expects every message once.
func (b *books) paid(o *order, got []int) {
	for i, id := range got {
		known := slices.ContainsFunc(o.payments, func(p *payment) bool { return p.id == id })
		if slices.Contains(got[:i], id) || !known {
			b.w.fail("message %d has happened at order %s: %v", id, o.id, got)
		}
	}
	for _, p := range o.payments {
		if p.sure && !o.closing && !slices.Contains(got, p.id) {
			b.w.fail("message %d was published and has not happened at order %s: %v", p.id, o.id, got)
		}
	}
}

// heard expects every signal once that was broadcast after the order was made.
func (b *books) heard(o *order, rung []int) {
	for i, id := range rung {
		at := slices.IndexFunc(b.bells, func(x *bell) bool { return x.id == id })
		if at < 0 || slices.Contains(rung[:i], id) && !b.bells[at].past {
			b.w.fail("signal %d has happened at order %s: %v", id, o.id, rung)
		}
	}
	for _, x := range b.bells {
		if x.sure && !x.past && x.begun > o.created && !o.closing && !slices.Contains(rung, x.id) {
			b.w.fail("signal %d was broadcast by partition %d and has not happened at order %s: %v", x.id, x.from, o.id, rung)
		}
	}
}

// numbers are those that came to an order with messages or signals.
func numbers(c *enginetest.Contents, instance protocol.Key, element string) (list []int) {
	for _, key := range c.Order[elements] {
		e := c.Elements[key]
		if e.Instance != instance || e.Element != element {
			continue
		}
		for _, v := range e.Variables {
			if v.Name == "l" {
				n, err := strconv.Atoi(string(v.Value))
				must(err)
				list = append(list, n)
			}
		}
	}
	return list
}
