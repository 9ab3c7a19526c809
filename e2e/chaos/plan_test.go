package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// kind is a fault that a plan may have.
type kind string

const (
	kill       kind = "kill"        // SIGKILL, started again at the end
	restart    kind = "restart"     // SIGTERM, started again at the end
	pause      kind = "pause"       // SIGSTOP, SIGCONT at the end
	killAll    kind = "kill all"    // at once
	wipe       kind = "wipe"        // killed, comes back with an empty directory
	cut        kind = "cut"         // the link between two nodes
	isolate    kind = "isolate"     // a node from all others
	apart      kind = "apart"       // the leaders of two partitions from each other
	delay      kind = "delay"       // everything that a node sends and gets
	loss       kind = "loss"        // of packets
	slow       kind = "slow"        // few bytes per second
	reset      kind = "reset"       // connections, and none can be made
	churn      kind = "churn"       // a leader restarted each second
	starve     kind = "starve"      // a node gets a fifth of the time, in pieces
	fillDisk   kind = "fill disk"   // until what makes the state grow is refused
	noDisk     kind = "no disk"     // until nothing is written
	clock      kind = "clock"       // of one node, an hour ahead or back
	clocks     kind = "clocks"      // of all nodes
	rebalance  kind = "rebalance"   // grevy cluster rebalance
	changeSize kind = "change size" // grevy cluster add, or remove
)

// kinds are all of them.
var kinds = []kind{
	kill, restart, pause, killAll, wipe, cut, isolate, apart, delay, loss, slow, reset, churn, starve,
	fillDisk, noDisk, clock, clocks, rebalance, changeSize,
}

// alone tells what must find everything whole: what a lost disk takes away must be
// on two others. The rest of them takes the scheduler's whole attention.
var alone = map[kind]bool{wipe: true, killAll: true, churn: true}

// fault is something that is done, and undone after a while.
type fault struct {
	kind   kind
	node   int // whom it hits, if nothing else is said
	leader int // it hits who leads this partition then; 0: node
	other  int // the second one, so many places behind the first, or another partition
	port   string
	way    string // both, out, in
	amount int    // in the kind's unit
	after  time.Duration
	lasts  time.Duration
}

// String tells what is done to whom.
func (f fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s ", f.kind)
	switch f.kind {
	case killAll, churn, clocks, rebalance, changeSize:
	case apart:
		fmt.Fprintf(&b, "leaders of partitions %d and %d ", f.leader, f.other)
	default:
		if f.leader > 0 {
			fmt.Fprintf(&b, "leader of partition %d ", f.leader)
		} else {
			fmt.Fprintf(&b, "node %d ", f.node)
		}
	}
	switch f.kind {
	case cut:
		fmt.Fprintf(&b, "from the %d. node behind it, ", f.other)
		fallthrough
	case isolate, apart:
		fmt.Fprintf(&b, "%s, ", f.way)
	}
	if f.port != "" {
		fmt.Fprintf(&b, "only %s, ", f.port)
	}
	if unit := units[f.kind]; unit != "" {
		fmt.Fprintf(&b, unit+" ", f.amount)
	}
	fmt.Fprintf(&b, "for %s", f.lasts)
	if f.after > 0 {
		fmt.Fprintf(&b, " after %s", f.after)
	}
	return b.String()
}

// units are what amounts mean.
var units = map[kind]string{delay: "%d ms,", loss: "%d %%,", slow: "%d kB/s,", clock: "%+d minutes,", clocks: "%+d minutes,", churn: "%d times,"}

// step is what happens at a time: one fault, or two that overlap.
type step struct{ faults []fault }

func (s step) String() string {
	var list []string
	for _, f := range s.faults {
		list = append(list, f.String())
	}
	return strings.Join(list, "; ")
}

// setup is the cluster that is planned for.
type setup struct {
	nodes, partitions int
	long              bool // there is time for what takes long
}

// plan draws what is done. Kinds come in turn, each turn in an order of its own, so
// that a short run has as many of them as it has room for.
type plan struct {
	*rand.Rand
	setup
	deck []kind
}

func newPlan(seed uint64, s setup) *plan {
	return &plan{Rand: rand.New(rand.NewPCG(seed, 0)), setup: s}
}

// next draws a step.
func (p *plan) next() (s step) {
	first := p.fault(p.draw())
	s.faults = append(s.faults, first)
	if alone[first.kind] || p.IntN(2) == 0 {
		return s
	}
	if k := p.draw(); alone[k] {
		p.deck = append(p.deck, k) // its turn comes next
	} else {
		second := p.fault(k)
		second.after = p.between(0, first.lasts)
		s.faults = append(s.faults, second)
	}
	return s
}

func (p *plan) draw() kind {
	if len(p.deck) == 0 {
		for _, i := range p.Perm(len(kinds)) {
			if kinds[i] != changeSize || p.long {
				p.deck = append(p.deck, kinds[i])
			}
		}
	}
	k := p.deck[len(p.deck)-1]
	p.deck = p.deck[:len(p.deck)-1]
	return k
}

func (p *plan) between(least, most time.Duration) time.Duration {
	return (least + time.Duration(p.Int64N(int64(most-least)+1))).Round(10 * time.Millisecond)
}

// fault draws how, whom and how long. Everything is drawn for every kind, so that
// a kind that changes does not change what comes behind it.
func (p *plan) fault(k kind) fault {
	f := fault{
		kind: k, node: p.IntN(p.nodes), other: 1 + p.IntN(p.nodes-1), lasts: p.between(500*time.Millisecond, 5*time.Second),
		port: [...]string{"", "", "", "raft", "post", "gossip"}[p.IntN(6)], way: [...]string{"both", "both", "out", "in"}[p.IntN(4)],
	}
	if leads := 1 + p.IntN(p.partitions); p.IntN(2) == 0 {
		f.leader = leads
	}
	f.amount = p.amount(k)
	switch k {
	case apart:
		f.leader = 1
		f.other = 2 + p.IntN(max(p.partitions-1, 1))
	case churn:
		f.lasts = time.Duration(f.amount) * time.Second
	case pause: // also for longer than it takes to elect another one
		f.lasts = p.between(200*time.Millisecond, 8*time.Second)
	case fillDisk, noDisk: // it is looked at each second
		f.lasts = max(f.lasts, 3*time.Second)
	}
	switch k {
	case cut, isolate, delay, loss, slow, reset:
	default:
		f.port = ""
	}
	return f
}

// amount draws how much.
func (p *plan) amount(k kind) int {
	draw := p.IntN(100)
	switch k {
	case delay:
		return []int{20, 100, 100, 400}[draw%4]
	case loss:
		return 1 + draw%30
	case slow:
		return []int{32, 128, 512}[draw%3]
	case clock, clocks:
		return []int{60, -60, 10, -10}[draw%4]
	case churn:
		if p.long {
			return 30
		}
		return 6
	}
	return 0
}
