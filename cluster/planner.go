package cluster

import (
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// MaxPartitions is how many partitions a cluster can have: a key has 13 bits for them.
const MaxPartitions = 4095

// planner simulates a request step by step: each is checked against the layout
// that those before it leave.
type planner struct {
	*Plan // as it is after the steps
	seen  Seen
	steps []Step
	err   error
}

// Steps plans a request. The error says why it cannot be, or that nothing is to
// do ([ErrNothing]).
func (p *Plan) Steps(r Request, s Seen) ([]Step, error) {
	w := &planner{Plan: p.clone(), seen: s}
	switch r.What {
	case Add:
		w.add(r.Node)
	case Remove:
		w.remove(r.Node)
	case Replace:
		w.replace(r.Node, r.By)
	case Move:
		w.moveOne(r.Partition, r.Node, r.By)
	case SetFactor:
		w.factor(r.Count)
	case Rebalance:
		w.rebalance()
	case AddPartitions:
		w.addPartitions(r.Count)
	default:
		w.refuse("there is no operation %q", string(r.What))
	}
	if w.err == nil && len(w.steps) == 0 {
		w.err = ErrNothing
	}
	return w.steps, w.err
}

func (w *planner) refuse(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// do adds a step. Unless the partition has a majority of living nodes after it,
// the request is refused.
func (w *planner) do(s Step) {
	if w.err != nil {
		return
	}
	w.apply(s)
	w.steps = append(w.steps, s)
	if s.Kind != Promote && s.Kind != Drop {
		return
	}
	replicas := w.Of(s.Partition).Replicas
	var away []int
	for _, n := range replicas {
		if !w.seen.Alive[n] {
			away = append(away, n)
		}
	}
	if 2*(len(replicas)-len(away)) <= len(replicas) {
		w.refuse("partition %d would have no majority after %q: nodes %v of %v are away; start them, or replace them first", s.Partition, s, away, replicas)
	}
}

// member refuses a node that is not of the cluster.
func (w *planner) member(node int) bool {
	if _, ok := w.Member(node); ok {
		return true
	}
	w.refuse("node %d is no member of this cluster: start it with --join first, and look whether grevy cluster status shows it", node)
	return false
}

// target refuses a node that cannot take a replica.
func (w *planner) target(node int) bool {
	if !w.member(node) {
		return false
	}
	if !w.seen.Alive[node] {
		w.refuse("node %d is away: it cannot be given anything", node)
	}
	return w.err == nil
}

// loads counts the replicas of each member.
func (w *planner) loads() map[int]int {
	load := map[int]int{}
	for i := range w.Partitions {
		for _, n := range w.Partitions[i].Replicas {
			load[n]++
		}
	}
	return load
}

// lightest finds the living member with the fewest replicas that does not keep a
// partition; -1 if there is none.
func (w *planner) lightest(id protocol.PartitionID, but int) int {
	best, load := -1, w.loads()
	part := w.Of(id)
	for _, m := range w.Members {
		if !w.seen.Alive[m.Node] || m.Node == but || slices.Contains(part.Nodes(), m.Node) {
			continue
		}
		if best < 0 || load[m.Node] < load[best] {
			best = m.Node
		}
	}
	return best
}

// move replaces one replica of a partition by another, in its position. A node
// that is away is taken out before the new one votes, so that the majority
// never counts on more nodes that are not there.
func (w *planner) move(id protocol.PartitionID, from, to int) {
	at := slices.Index(w.Of(id).Replicas, from)
	learn := Step{Kind: Learn, Partition: id, Node: to}
	promote := Step{Kind: Promote, Partition: id, Node: to, Position: at}
	drop := Step{Kind: Drop, Partition: id, Node: from}
	w.do(learn)
	if w.seen.Alive[from] {
		w.do(promote)
		w.do(drop)
	} else {
		w.do(drop)
		w.do(promote)
	}
}

func (w *planner) moveOne(id protocol.PartitionID, from, to int) {
	part := w.Of(id)
	switch {
	case len(part.Replicas) == 0:
		w.refuse("there is no partition %d", id)
	case !slices.Contains(part.Replicas, from):
		w.refuse("partition %d is not on node %d but on %v", id, from, part.Replicas)
	case slices.Contains(part.Replicas, to):
		w.refuse("partition %d is on node %d already", id, to)
	case w.target(to):
		w.move(id, from, to)
	}
}

// add gives a node its share: replicas of those that have more, first ones where
// it becomes the preferred leader, until it leads its share too.
func (w *planner) add(node int) {
	if !w.target(node) {
		return
	}
	total := 0
	for i := range w.Partitions {
		total += len(w.Partitions[i].Replicas)
	}
	for w.err == nil && w.loads()[node] < total/len(w.Members) {
		id, from := w.relieve(node)
		if from < 0 {
			return
		}
		w.move(id, from, node)
	}
}

// relieve finds the replica that a new node takes over next: from the node with
// the most.
func (w *planner) relieve(node int) (id protocol.PartitionID, from int) {
	load, leads := w.loads(), 0
	for i := range w.Partitions {
		if w.Partitions[i].Replicas[0] == node {
			leads++
		}
	}
	wantsLead := leads < len(w.Partitions)/len(w.Members)
	best := -1
	from = -1
	for i := range w.Partitions {
		replicas := w.Partitions[i].Replicas
		if slices.Contains(replicas, node) {
			continue
		}
		for at, n := range replicas {
			score := 2 * load[n]
			if (at == 0) == wantsLead {
				score++
			}
			if load[n] > load[node]+1 && score > best {
				best, id, from = score, protocol.PartitionID(i+1), n
			}
		}
	}
	return id, from
}

func nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

func (w *planner) remove(node int) {
	if !w.member(node) {
		return
	}
	for _, id := range w.Held(node) {
		to := w.lightest(id, node)
		if to < 0 {
			kept, lower := len(w.Of(id).Replicas), ""
			if kept > 1 {
				lower = fmt.Sprintf(", or lower the number first (grevy cluster replication-factor %d)", kept-1)
			}
			w.refuse("no other node is left for partition %d, which is to be kept on %s: add a node%s", id, nodes(kept), lower)
			return
		}
		w.move(id, node, to)
	}
	w.do(Step{Kind: Leave, Node: node})
}

func (w *planner) replace(node, by int) {
	if node == by {
		w.refuse("a node that lost its disk comes back under its own number by itself: start it with an empty data directory")
	}
	if !w.member(node) || !w.target(by) {
		return
	}
	for _, id := range w.Held(node) {
		part := w.Of(id)
		if slices.Contains(part.Nodes(), by) {
			w.refuse("partition %d is on node %d already: it cannot take the place of node %d there", id, by, node)
			return
		}
		w.move(id, node, by)
	}
	w.do(Step{Kind: Leave, Node: node})
}

func (w *planner) factor(count int) {
	if count < 1 || count > len(w.Members) {
		w.refuse("the replication factor must be from 1 to the number of nodes, %d, not %d", len(w.Members), count)
		return
	}
	for i := range w.Partitions {
		id := protocol.PartitionID(i + 1)
		for w.err == nil && len(w.Of(id).Replicas) < count {
			w.grow(id)
		}
		for w.err == nil && len(w.Of(id).Replicas) > count {
			w.do(Step{Kind: Drop, Partition: id, Node: w.spare(id)})
		}
	}
	if w.err == nil && (len(w.steps) > 0 || w.ReplicationFactor != count) {
		w.do(Step{Kind: Factor, Position: count})
	}
}

func (w *planner) grow(id protocol.PartitionID) {
	to := w.lightest(id, -1)
	if to < 0 {
		w.refuse("no node is left that could keep partition %d too", id)
		return
	}
	w.do(Step{Kind: Learn, Partition: id, Node: to})
	w.do(Step{Kind: Promote, Partition: id, Node: to, Position: len(w.Of(id).Replicas)})
}

// spare finds the replica to do without: one that is away, or else that of the
// node with the most; the preferred leader last.
func (w *planner) spare(id protocol.PartitionID) int {
	load, replicas := w.loads(), w.Of(id).Replicas
	for _, n := range replicas {
		if !w.seen.Alive[n] {
			return n
		}
	}
	best := replicas[len(replicas)-1]
	for _, n := range replicas[1:] {
		if load[n] > load[best] {
			best = n
		}
	}
	return best
}
