package sim

import (
	"time"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// node is a machine with its store and a replica of some partitions.
type node struct {
	w        *world
	id       int
	up       bool
	kv       *store
	models   *engine.Models
	replicas map[protocol.PartitionID]*replica
	believes map[protocol.PartitionID]int // who leads, as it last heard
}

func (w *world) newNode(id int) *node {
	return &node{
		w: w, id: id, up: true, kv: newStore(), models: engine.NewModels(4 << 20),
		replicas: map[protocol.PartitionID]*replica{}, believes: map[protocol.PartitionID]int{},
	}
}

// reaches tells whether messages get from one node to another.
func (w *world) reaches(from, to int) bool {
	return from == to || !w.cut[[2]int{from, to}]
}

// linked tells the same of both directions between living nodes.
func (w *world) linked(a, b int) bool {
	return w.nodes[a].up && w.nodes[b].up && w.reaches(a, b) && w.reaches(b, a)
}

// crash kills a node's process; power: the machine's too, and what the store has
// not synced is gone.
func (n *node) crash(power bool) {
	if !n.up {
		return
	}
	w := n.w
	w.note("node %d crashes, power %t", n.id, power)
	w.stats.Crashes++
	n.up = false
	for _, g := range w.groups {
		if r := n.replicas[g.id]; r != nil {
			r.die()
			g.lost(n.id)
		}
	}
	if power {
		n.kv.PowerLoss()
	}
	w.after(w.between(50*time.Millisecond, 1500*time.Millisecond), n.start)
}

// start brings a node back with what is in its store.
func (n *node) start() {
	if n.up {
		return
	}
	n.w.note("node %d starts", n.id)
	n.up = true
	n.models = engine.NewModels(4 << 20)
	for _, g := range n.w.groups {
		if r := n.replicas[g.id]; r != nil {
			r.open()
			r.follow(0)
		}
	}
	n.w.news(n.id)
}

// sync makes a store durable, now and then.
func (n *node) sync() {
	if n.up {
		must(n.kv.Sync())
	}
	n.w.after(n.w.between(100*time.Millisecond, 2*time.Second), n.sync)
}

// replica is a partition on a node.
type replica struct {
	w     *world
	node  *node
	group *group

	machine *raftadapter.Machine
	pending bool // an application is planned

	// What its raft believes.
	term  uint64
	leads bool

	life    *life
	wanted  bool
	notices []func() // of won and lost leadership, on their way to the partition
	lives   int      // of this term
	orphans []*proposal
}

func (g *group) join(n *node) *replica {
	r := &replica{w: g.w, node: n, group: g}
	n.replicas[g.id] = r
	r.open()
	return r
}

// open reads how far the store is.
func (r *replica) open() {
	var err error
	r.machine, err = raftadapter.OpenMachine(r.group.id, r.node.kv, func(a raftadapter.Applied) {
		if r.life != nil {
			r.life.post(func() { r.life.hear(a) })
		}
	})
	must(err)
}

// die forgets what was in memory; nobody is told.
func (r *replica) die() {
	if r.life != nil {
		r.life.kill()
	}
	r.leads, r.wanted, r.orphans, r.notices = false, false, nil, nil
}

// follow applies what is committed, some time from now.
func (r *replica) follow(d time.Duration) {
	if r.pending {
		return
	}
	r.pending = true
	r.w.after(d, func() {
		r.pending = false
		r.apply()
	})
}

func (r *replica) apply() {
	g, w := r.group, r.w
	at := r.machine.Applied().Index
	if !r.node.up || at >= g.commit {
		return
	}
	if g.leader < 0 || !w.reaches(g.leader, r.node.id) {
		r.follow(w.between(50*time.Millisecond, 200*time.Millisecond))
		return
	}
	n := 1 + uint64(w.rnd.IntN(int(min(g.commit-at, 8))))
	if w.calm {
		n = g.commit - at
	}
	must(r.applyUpTo(at + n))
	if r.machine.Applied().Index < g.commit {
		r.follow(r.lag())
	}
}

// applyUpTo applies a batch of entries and compares what comes out.
func (r *replica) applyUpTo(index uint64) error {
	g := r.group
	from := r.machine.Applied().Index
	if r.w.mutant.guards() {
		for i := from + 1; i <= index; i++ {
			if err := r.machine.Apply([]raftadapter.Entry{r.w.mutant.doctor(r.machine, g.entry(i))}); err != nil {
				return err
			}
		}
	} else {
		var batch []raftadapter.Entry
		for i := from + 1; i <= index; i++ {
			batch = append(batch, g.entry(i))
		}
		if err := r.machine.Apply(batch); err != nil {
			return err
		}
	}
	for i := from; i < index; i++ {
		if p := g.log[i].by; p != nil && p.from.r == r && !p.from.gone {
			p.done(nil)
		}
	}
	r.w.note("node %d applies partition %d up to %d", r.node.id, g.id, index)
	if got, want := r.node.kv.digests[g.id], g.digests[index]; got != want {
		r.w.fail("partition %d on node %d differs from the log at %d", g.id, r.node.id, index)
	}
	return nil
}

// lag is how much later than committed a replica applies.
func (r *replica) lag() time.Duration {
	if r.group.leader == r.node.id || r.w.calm {
		return r.w.between(0, 2*time.Millisecond)
	}
	return r.w.between(0, r.w.conf.Follow)
}
