package sim

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// Report is what came of a seed.
type Report struct {
	Seed  uint64
	Log   string   // a hash of everything that happened
	Wrong []string // what must never have happened; empty if all is well
	Stats Stats
	Conf  string
}

// Run runs one seed. trace, if there is one, gets a line for all that happens.
func Run(seed uint64, trace io.Writer) Report { return run(seed, sound, trace) }

func run(seed uint64, m mutation, trace io.Writer) Report {
	w := newWorld(seed, m, trace)
	w.begin()
	w.runUntil(w.now + w.conf.Duration)
	w.finish()
	return Report{Seed: seed, Log: hex.EncodeToString(w.hash.Sum(nil)), Wrong: w.wrong, Stats: w.stats, Conf: fmt.Sprintf("%+v", w.conf)}
}

func newWorld(seed uint64, m mutation, trace io.Writer) *world {
	rnd := rand.New(rand.NewPCG(seed, 5))
	w := &world{conf: draw(rnd), mutant: m, rnd: rnd, cut: map[[2]int]bool{}, hash: newHash(), trace: trace}
	w.books = &books{w: w, locks: map[protocol.Key]lock{}, keys: map[protocol.Key]bool{}}
	w.reference = w.newNode(-1)
	for i := range w.conf.Nodes {
		w.nodes = append(w.nodes, w.newNode(i))
	}
	for p := range w.conf.Partitions {
		var members []*node
		for _, i := range rnd.Perm(w.conf.Nodes)[:w.replicas()] {
			members = append(members, w.nodes[i])
		}
		w.newGroup(protocol.PartitionID(p+1), members)
	}
	w.note("%+v", w.conf)
	return w
}

// replicas draws how many a partition has: all nodes have one of it, often.
func (w *world) replicas() int {
	if w.chance(50) {
		return w.conf.Nodes
	}
	return 1 + w.rnd.IntN(w.conf.Nodes)
}

// begin lets partitions have leaders, models be deployed and clients work; then
// the faults begin.
func (w *world) begin() {
	w.calm = true
	for _, g := range w.groups {
		g.plan(w.between(0, 10*time.Millisecond))
	}
	w.runUntil(w.now + 100*time.Millisecond)
	w.models = w.randomModels()
	first := w.newClient(0)
	resources := []protocol.Resource{orderModel(0)}
	if w.conf.Random {
		resources = append(resources, enginetest.RandomRules())
		for i, m := range w.models {
			resources = append(resources, protocol.Resource{Name: fmt.Sprintf("p%d.bpmn", i), Content: m})
		}
	}
	for _, r := range resources {
		first.sure(r)
	}
	w.calm = false
	for i := range w.conf.Clients {
		c := w.newClient(i)
		c.seq, c.version = first.seq, first.version
		c.rest()
	}
	for i := range w.nodes {
		w.watch(i)
	}
	w.storm()
}

// sure deploys until it is done.
func (c *client) sure(r protocol.Resource) {
	done := false
	for !done && len(c.w.wrong) == 0 {
		c.ask(protocol.DeploymentPartition, &protocol.Deploy{Resources: []protocol.Resource{r}}, func(reply protocol.Reply, err error) {
			if d, ok := reply.(*protocol.Deployed); ok {
				c.learn(d)
			}
			done = err == nil || rejected(err) != 0 // not all random models can be deployed
		})
		c.w.runUntil(c.w.now + 100*time.Millisecond)
	}
}

func (w *world) newClient(i int) *client {
	c := &client{w: w, id: i, node: i % len(w.nodes)}
	for p := range w.groups {
		maker := enginetest.NewCommander(w.rnd, protocol.PartitionID(p+1), w.models)
		maker.Strays = 1 << 40 // orders are left alone
		c.random = append(c.random, maker)
	}
	w.clients = append(w.clients, c)
	return c
}
