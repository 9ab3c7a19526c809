package sim

import (
	"time"
)

// storm begins all faults that the settings have.
func (w *world) storm() {
	for _, n := range w.nodes {
		n.sync()
	}
	w.repeat(w.conf.Elections, func() {
		g := w.groups[w.rnd.IntN(len(w.groups))]
		was := g.leader
		g.elect()
		if w.chance(50) { // and back: who was deposed may lead again before it knows
			w.after(w.between(20*time.Millisecond, 700*time.Millisecond), func() {
				if was >= 0 && g.quorum(was) && !w.calm {
					g.lead(was)
				}
			})
		}
	})
	w.repeat(w.conf.Crashes, func() {
		w.nodes[w.rnd.IntN(len(w.nodes))].crash(w.conf.PowerLoss && w.chance(50))
	})
	w.repeat(w.conf.Cuts, w.cutSome)
	w.repeat(w.conf.Jumps, func() {
		d := w.between(time.Second, 40*time.Second)
		if w.chance(20) {
			d = time.Hour
		}
		w.jumped += d
		w.stats.Jumps++
		w.note("clocks jump by %v", d)
	})
	w.repeat(w.conf.Restarts, w.failLife)
	w.repeat(w.conf.Deposals, w.isolateLeader)
	w.repeat(w.conf.Copies, w.copyAll)
	if w.conf.Restore {
		w.after(w.between(w.conf.Duration/3, w.conf.Duration/2), w.backup)
	}
}

// repeat does something again and again until the storm is over.
func (w *world) repeat(every time.Duration, do func()) {
	if every == 0 {
		return
	}
	w.after(w.between(0, 2*every), func() {
		if !w.calm {
			do()
			w.repeat(every, do)
		}
	})
}

// cutSome cuts one link, in one direction or both.
func (w *world) cutSome() {
	if len(w.nodes) < 2 {
		return
	}
	list := w.rnd.Perm(len(w.nodes))
	w.cutFor(w.between(100*time.Millisecond, 2*time.Second), list[0], list[1], w.chance(50))
}

func (w *world) cutFor(d time.Duration, a, b int, both bool) {
	w.note("link from %d to %d is cut, both ways: %t", a, b, both)
	w.stats.Cuts++
	w.cut[[2]int{a, b}] = true
	if both {
		w.cut[[2]int{b, a}] = true
	}
	w.after(d, func() {
		delete(w.cut, [2]int{a, b})
		if both {
			delete(w.cut, [2]int{b, a})
		}
		w.note("link from %d to %d is back", a, b)
		w.news(a)
	})
	for _, g := range w.groups {
		if g.leader >= 0 && !g.quorum(g.leader) {
			g.plan(w.between(300*time.Millisecond, 1500*time.Millisecond))
		}
	}
}

// isolateLeader cuts a leader off from all others.
func (w *world) isolateLeader() {
	g := w.groups[w.rnd.IntN(len(w.groups))]
	if g.leader < 0 || len(w.nodes) < 2 {
		return
	}
	d := w.between(500*time.Millisecond, 3*time.Second)
	for i := range w.nodes {
		if i != g.leader {
			w.cutFor(d, g.leader, i, true)
		}
	}
}

// failLife ends a leader's life on something that is not certain; the next one
// begins in the same term.
func (w *world) failLife() {
	g := w.groups[w.rnd.IntN(len(w.groups))]
	if g.leader < 0 {
		return
	}
	if l := w.nodes[g.leader].replicas[g.id].life; l != nil {
		w.note("partition %d: a life ends", g.id)
		l.driven.Stop()
		l.failed = true
		l.flush()
	}
}

// heal ends all faults.
func (w *world) heal() {
	w.note("everything heals")
	w.calm = true
	clear(w.cut)
	for _, n := range w.nodes {
		n.start()
	}
	for _, g := range w.groups {
		if g.leader < 0 {
			g.plan(0)
		}
		for _, r := range g.members {
			r.follow(0)
		}
	}
	w.news(0)
}
