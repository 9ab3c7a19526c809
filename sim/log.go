package sim

import (
	"fmt"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

// group is a partition's raft, seen from outside: one log that all replicas
// apply, a leader that may not know that it has been deposed, and a tail that
// is not committed and may be lost.
type group struct {
	w       *world
	id      protocol.PartitionID
	members []*replica
	term    uint64
	leader  int // node, -1: none
	log     []logged
	commit  uint64
	digests []uint64 // by index, as the reference has them
	oracle  oracle
	life    int // counts restores
	electing,
	committing bool
}

// logged is an entry of the log. Its first index is 1.
type logged struct {
	term uint64
	data []byte // nil: raft's own
	by   *proposal
}

// proposal is an entry on its way.
type proposal struct {
	data []byte
	from *life
	done func(error)
}

func (w *world) newGroup(p protocol.PartitionID, members []*node) *group {
	g := &group{w: w, id: p, leader: -1, digests: []uint64{0}}
	w.groups = append(w.groups, g)
	g.oracle.begin(g)
	for _, n := range members {
		g.members = append(g.members, g.join(n))
	}
	return g
}

func (g *group) last() uint64 { return uint64(len(g.log)) }

func (g *group) entry(index uint64) raftadapter.Entry {
	l := &g.log[index-1]
	return raftadapter.Entry{Index: index, Term: l.term, Data: l.data}
}

// quorum tells whether a node reaches enough others to commit.
func (g *group) quorum(node int) bool {
	n := 0
	for _, r := range g.members {
		if r.node.up && (r.node.id == node || g.w.linked(node, r.node.id)) {
			n++
		}
	}
	return g.w.nodes[node].up && n > len(g.members)/2
}

// elect makes somebody leader who can be. The former leader hears of it now, or
// later, or not as long as it is cut off.
func (g *group) elect() {
	g.electing = false
	var able []*replica
	for _, r := range g.members {
		if g.quorum(r.node.id) {
			able = append(able, r)
		}
	}
	if len(able) == 0 {
		g.lead(-1)
		g.plan(g.w.between(200*time.Millisecond, 600*time.Millisecond))
		return
	}
	g.lead(able[g.w.rnd.IntN(len(able))].node.id)
}

// plan lets an election happen some time from now.
func (g *group) plan(d time.Duration) {
	if !g.electing {
		g.electing = true
		g.w.after(d, g.elect)
	}
}

// lead ends a leadership and begins another. Of what was not committed a part may
// survive, from the front.
func (g *group) lead(node int) {
	w := g.w
	if old := g.leader; old >= 0 {
		r := w.nodes[old].replicas[g.id]
		if old == node {
			r.deposed()
		} else {
			w.after(w.between(0, 1500*time.Millisecond), func() {
				if g.leader != old {
					r.deposed()
				}
			})
		}
	}
	g.leader = node
	if node < 0 {
		return
	}
	g.truncate(g.commit + uint64(w.rnd.IntN(int(g.last()-g.commit)+1)))
	g.term += 1 + uint64(w.rnd.IntN(2))
	w.stats.Leaders++
	w.note("partition %d: node %d leads term %d, log %d, committed %d", g.id, node, g.term, g.last(), g.commit)
	r := w.nodes[node].replicas[g.id]
	r.won(g.term)
	g.append(logged{term: g.term})
	w.after(w.between(0, 300*time.Millisecond), func() { w.newsOf(g.id) })
}

// lost tells that a node is gone: if it has led, another one will.
func (g *group) lost(node int) {
	if g.leader == node {
		g.leader = -1
		g.plan(g.w.between(50*time.Millisecond, time.Second))
	}
}

func (g *group) truncate(to uint64) {
	for i := to; i < g.last(); i++ {
		if p := g.log[i].by; p != nil {
			p.from.r.orphans = append(p.from.r.orphans, p)
		}
	}
	g.log = g.log[:to]
}

func (g *group) append(l logged) {
	g.log = append(g.log, l)
	if !g.committing {
		g.committing = true
		g.w.after(g.w.between(0, 8*time.Millisecond), g.tryCommit)
	}
}

// tryCommit commits what the leader has in its log, if a quorum is there. What
// former terms have left is committed with an entry of its own term only.
func (g *group) tryCommit() {
	g.committing = false
	w := g.w
	if g.leader < 0 || g.commit >= g.last() {
		return
	}
	if g.quorum(g.leader) {
		to := g.commit + 1 + uint64(w.rnd.IntN(int(g.last()-g.commit)))
		if g.log[to-1].term != g.term {
			to = g.last()
		}
		g.commitUpTo(to)
	} else if !g.electing {
		g.plan(w.between(300*time.Millisecond, 1500*time.Millisecond)) // of those who reach each other
	}
	if g.commit < g.last() {
		g.committing = true
		w.after(w.between(0, 20*time.Millisecond), g.tryCommit)
	}
}

func (g *group) commitUpTo(index uint64) {
	for g.commit < index && len(g.w.wrong) == 0 {
		g.commit++
		g.oracle.applied(g.commit)
	}
	for _, r := range g.members {
		r.follow(r.lag())
	}
}

// Term is the replica's, as its raft believes.
func (r *replica) Term() uint64 { return r.term }

// IsLeader is what its raft believes.
func (r *replica) IsLeader() bool { return r.leads }

// View opens what is applied.
func (r *replica) View() (*state.View, uint64, protocol.Guard) { return r.machine.View() }

// Applied is how far it is applied.
func (r *replica) Applied() raftadapter.Mark { return r.machine.Applied() }

// propose brings an entry to the log some time from now. That may be after the
// next life on this node has opened, and in another term.
func (r *replica) propose(p *proposal) {
	w, l := r.w, p.from
	at := max(w.now+r.queued(), l.arrival) // one behind the other, of one life
	l.arrival = at
	w.after(at-w.now, func() { r.arrive(p) })
}

// queued is how long raft takes to look at something.
func (r *replica) queued() time.Duration {
	if r.w.chance(r.w.conf.Requeue) && !r.w.calm {
		return r.w.between(0, 300*time.Millisecond)
	}
	return r.w.between(0, 3*time.Millisecond)
}

func (r *replica) arrive(p *proposal) {
	w, g := r.w, r.group
	switch {
	case p.from.gone || !r.node.up: // the process is dead
	case w.chance(w.conf.Refuse) && !w.calm:
		// For instance because leadership is being handed over, to nobody in the end.
		p.done(fmt.Errorf("%w: refused", raftadapter.ErrNotProposed))
	case !r.leads:
		p.done(fmt.Errorf("%w: not the leader", raftadapter.ErrNotProposed))
	case g.leader != r.node.id:
		r.orphans = append(r.orphans, p) // in the log of a leader without a quorum
	default:
		g.append(logged{term: g.term, data: p.data, by: p})
	}
}

// Verify asks a quorum whether this node leads.
func (r *replica) verify(l *life, done func(error)) {
	w, g := r.w, r.group
	w.after(r.queued(), func() {
		switch {
		case l.gone || !r.node.up:
		case w.mutant == noVerify, r.leads && g.leader == r.node.id && g.quorum(r.node.id):
			done(nil)
		default:
			w.after(w.between(0, time.Second), func() { done(fmt.Errorf("%w: no quorum", raftadapter.ErrUnknown)) })
		}
	})
}

// won lets a replica's raft lead, and tells the partition.
func (r *replica) won(term uint64) {
	r.term, r.leads, r.lives = term, true, 0
	r.notify(func() { r.seat(true) })
}

// deposed tells a replica's raft that it leads no more.
func (r *replica) deposed() {
	if !r.leads {
		return
	}
	g := r.group
	r.leads = false
	r.w.note("partition %d: node %d knows that it leads no more", g.id, r.node.id)
	for i := g.commit; i < g.last(); i++ {
		if p := g.log[i].by; p != nil && p.from.r == r {
			r.orphans = append(r.orphans, p)
		}
	}
	for _, p := range r.orphans {
		p.done(fmt.Errorf("%w: leadership lost", raftadapter.ErrUnknown))
	}
	r.orphans = nil
	r.notify(func() { r.seat(false) })
}

// notify carries news from raft to the partition, in order, some time later.
func (r *replica) notify(f func()) {
	r.notices = append(r.notices, f)
	first := len(r.notices) == 1
	if first {
		r.w.after(r.notice(), r.deliver)
	}
}

func (r *replica) notice() time.Duration {
	if r.w.calm || r.w.chance(60) {
		return r.w.between(0, 2*time.Millisecond)
	}
	return r.w.between(0, r.w.conf.Notice)
}

func (r *replica) deliver() {
	if len(r.notices) == 0 {
		return
	}
	f := r.notices[0]
	r.notices = r.notices[1:]
	f()
	if len(r.notices) > 0 {
		r.w.after(r.notice(), r.deliver)
	}
}

// seat ends a former leadership, and begins one if that is won.
func (r *replica) seat(won bool) {
	r.wanted = won
	if r.life != nil {
		r.life.stop()
	}
	if won {
		r.begin()
	}
}
