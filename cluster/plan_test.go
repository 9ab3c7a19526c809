package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

func began(nodes, partitions, factor int) *cluster.Plan {
	b := cluster.Began{Nodes: nodes, Partitions: partitions, ReplicationFactor: factor, Servers: map[int]string{}}
	for n := range nodes {
		b.Servers[n] = fmt.Sprintf("%d-began", n)
	}
	return cluster.New(strings.Repeat("0a", 16), b)
}

func allAlive(nodes int) cluster.Seen {
	s := cluster.Seen{Alive: map[int]bool{}, Leaders: map[protocol.PartitionID]int{}}
	for n := range nodes {
		s.Alive[n] = true
	}
	return s
}

// join lets nodes be members beside those with which the cluster began.
func join(t *testing.T, p *cluster.Plan, nodes ...int) *cluster.Plan {
	t.Helper()
	for _, n := range nodes {
		if p = p.Join(n, fmt.Sprintf("%d-joined", n)); p == nil {
			t.Fatalf("node %d is not noted", n)
		}
	}
	return p
}

func texts(steps []cluster.Step) (list []string) {
	for _, s := range steps {
		list = append(list, s.String())
	}
	return list
}

// finish carries an operation out.
func finish(t *testing.T, p *cluster.Plan) *cluster.Plan {
	t.Helper()
	for p.Operation != nil {
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := cluster.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.Operation, p.Operation) {
			t.Fatalf("%+v is read as %+v", p.Operation, again.Operation)
		}
		p = again.Advance("", 2)
	}
	return p
}

func TestSteps(t *testing.T) {
	four := join(t, began(3, 3, 3), 3)
	dead := allAlive(4)
	dead.Alive[1] = false
	for _, c := range []struct {
		name string
		plan *cluster.Plan
		r    cluster.Request
		seen cluster.Seen
		want []string
	}{
		{"move", four, cluster.Request{What: cluster.Move, Partition: 2, Node: 1, By: 3}, allAlive(4), []string{
			"copy partition 2 to node 3", "let node 3 vote in partition 2", "take partition 2 from node 1",
		}},
		{"a dead node is taken out before the new one votes", four, cluster.Request{What: cluster.Move, Partition: 2, Node: 1, By: 3}, dead, []string{
			"copy partition 2 to node 3", "take partition 2 from node 1", "let node 3 vote in partition 2",
		}},
		{"add", four, cluster.Request{What: cluster.Add, Node: 3}, allAlive(4), []string{
			"copy partition 1 to node 3", "let node 3 vote in partition 1", "take partition 1 from node 1",
			"copy partition 2 to node 3", "let node 3 vote in partition 2", "take partition 2 from node 2",
		}},
		{"remove one that keeps nothing", four, cluster.Request{What: cluster.Remove, Node: 3}, allAlive(4), []string{"let node 3 leave"}},
		{"one replica less", four, cluster.Request{What: cluster.SetFactor, Count: 2}, allAlive(4), []string{
			"take partition 1 from node 2", "take partition 2 from node 0", "take partition 3 from node 1", "note the replication factor 2",
		}},
	} {
		steps, err := c.plan.Steps(c.r, c.seen)
		if got := texts(steps); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v\n%s", c.name, err, strings.Join(got, "\n"))
		}
	}
}

func TestSteps_Refused(t *testing.T) {
	plan := began(3, 3, 3)
	one := allAlive(3)
	one.Alive[1], one.Alive[2] = false, false
	two := allAlive(3)
	two.Alive[1] = false
	for _, c := range []struct {
		r    cluster.Request
		seen cluster.Seen
		want string
	}{
		{cluster.Request{What: cluster.Add, Node: 3}, allAlive(4), "node 3 is no member"},
		{cluster.Request{What: cluster.Remove, Node: 2}, allAlive(3), "no other node is left for partition"},
		{cluster.Request{What: cluster.Move, Partition: 9, Node: 0, By: 1}, allAlive(3), "there is no partition 9"},
		{cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 1}, allAlive(3), "is on node 1 already"},
		{cluster.Request{What: cluster.SetFactor, Count: 4}, allAlive(3), "must be from 1 to the number of nodes, 3"},
		{cluster.Request{What: cluster.SetFactor, Count: 0}, allAlive(3), "must be from 1"},
		{cluster.Request{What: cluster.SetFactor, Count: 2}, one, "would have no majority"},
		{cluster.Request{What: cluster.AddPartitions, Count: 2}, allAlive(3), "never taken away"},
		{cluster.Request{What: cluster.Replace, Node: 1, By: 1}, two, "comes back under its own number"},
		{cluster.Request{What: cluster.Rebalance}, allAlive(3), "nothing to do"},
		{cluster.Request{What: "shuffle"}, allAlive(3), `no operation "shuffle"`},
	} {
		if _, err := plan.Steps(c.r, c.seen); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.r, err, c.want)
		}
	}
}

func TestOneOperationAtATime(t *testing.T) {
	plan := join(t, began(3, 1, 3), 3)
	move := cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 3}
	busy, err := plan.Begin(move, allAlive(4), 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = busy.Begin(cluster.Request{What: cluster.Rebalance}, allAlive(4), 2)
	if !errors.Is(err, cluster.ErrBusy) || !strings.Contains(err.Error(), "move 1 --from 0 --to 3, at step 1 of 3 (copy partition 1 to node 3)") {
		t.Error(err)
	}
	ended := busy.Cancel("cancelled", 3)
	if p := ended.Of(1); ended.Operation != nil || ended.Last.Outcome != "cancelled" || len(p.Learners) > 0 || !slices.Equal(p.Replicas, []int{0, 1, 2}) {
		t.Errorf("%+v", ended)
	}
	if len(plan.Of(1).Learners) > 0 {
		t.Error("the plan before was changed in place")
	}
	done := finish(t, busy)
	if p := done.Of(1); !slices.Equal(p.Replicas, []int{3, 1, 2}) || done.Last.Outcome != cluster.Done {
		t.Errorf("%+v", done)
	}
	left := finish(t, must(t, done, cluster.Request{What: cluster.Remove, Node: 0}, allAlive(4)))
	if _, ok := left.Member(0); ok || !left.Left("0-began") || left.Join(0, "0-began") != nil {
		t.Errorf("%+v", left)
	}
	if back := left.Join(0, "0-anew"); back == nil || back.Version != left.Version+1 {
		t.Errorf("a node with an empty directory may join under an old number: %+v", back)
	}
}

func must(t *testing.T, p *cluster.Plan, r cluster.Request, s cluster.Seen) *cluster.Plan {
	t.Helper()
	next, err := p.Begin(r, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// drawn is a cluster after some operations, some of whose nodes are away.
func drawn(r *rand.Rand) (*cluster.Plan, cluster.Seen, int) {
	nodes := 1 + r.IntN(6)
	plan := began(nodes, 1+r.IntN(7), 1+r.IntN(nodes))
	for range r.IntN(3) {
		plan = plan.Join(nodes, fmt.Sprintf("%d-joined", nodes))
		nodes++
	}
	seen := allAlive(nodes)
	for range r.IntN(4) {
		if next, err := plan.Begin(request(r, nodes), seen, 1); err == nil {
			plan = carriedOut(r, next, nodes)
		}
	}
	for range r.IntN(3) {
		seen.Alive[r.IntN(nodes)] = false
	}
	return plan, seen, nodes
}

// carriedOut brings an operation to an end: most often the one that was wanted.
func carriedOut(r *rand.Rand, plan *cluster.Plan, nodes int) *cluster.Plan {
	for plan.Operation != nil {
		switch r.IntN(12) {
		case 0:
			return plan.Cancel("cancelled", 2)
		case 1:
			if forced, err := plan.Force([]int{r.IntN(nodes)}, 2); err == nil && forced != nil {
				return forced
			}
		}
		plan = plan.Advance("", 2)
	}
	return plan
}

func request(r *rand.Rand, nodes int) cluster.Request {
	all := []cluster.What{cluster.Add, cluster.Remove, cluster.Replace, cluster.Move, cluster.SetFactor, cluster.Rebalance, cluster.AddPartitions}
	return cluster.Request{
		What: all[r.IntN(len(all))], Node: r.IntN(nodes), By: r.IntN(nodes), Partition: protocol.PartitionID(1 + r.IntN(8)), Count: 1 + r.IntN(9),
	}
}

// TestEveryStepKeepsAMajority: whatever is asked for, at whatever cluster, is
// refused, or each of its steps changes one node of one partition and leaves a
// majority of living nodes in it; and at the end it is as was asked for.
func TestEveryStepKeepsAMajority(t *testing.T) {
	planned := map[cluster.What]int{}
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 1))
		plan, seen, nodes := drawn(r)
		req := request(r, nodes)
		next, err := plan.Begin(req, seen, 1)
		if err != nil {
			continue
		}
		planned[req.What]++
		for before := plan; ; before, next = next, next.Advance("", 2) {
			if err := stepFits(before, next, seen); err != nil {
				t.Fatalf("seed %d, %s on %+v with %v: %v\n%s", seed, req, plan.Partitions, seen.Alive, err, strings.Join(texts(next.Operation.Steps), "\n"))
			}
			if next.Operation == nil {
				break
			}
		}
		if err := asWished(plan, next, req); err != nil {
			t.Fatalf("seed %d, %s on %+v: %v, %+v", seed, req, plan.Partitions, err, next.Partitions)
		}
	}
	t.Log(planned)
	for _, what := range []cluster.What{cluster.Add, cluster.Remove, cluster.Replace, cluster.Move, cluster.SetFactor, cluster.Rebalance, cluster.AddPartitions} {
		if planned[what] < 50 {
			t.Errorf("%s was planned %d times", what, planned[what])
		}
	}
}

// stepFits compares a plan with the one before it.
func stepFits(before, after *cluster.Plan, seen cluster.Seen) error {
	changes := 0
	for i := range after.Partitions {
		id := protocol.PartitionID(i + 1)
		was, is := before.Of(id), after.Of(id)
		alive, majority := 0, len(is.Replicas)/2+1
		for _, n := range is.Replicas {
			if seen.Alive[n] {
				alive++
			}
		}
		voters := difference(was.Replicas, is.Replicas)
		changes += max(voters, difference(was.Nodes(), is.Nodes()))
		nodes := is.Nodes()
		slices.Sort(nodes)
		switch {
		case len(is.Replicas) == 0:
			return fmt.Errorf("partition %d stands nowhere", id)
		case len(slices.Compact(nodes)) < len(is.Replicas)+len(is.Learners):
			return fmt.Errorf("partition %d is twice on a node: %+v", id, is)
		case voters > 0 && alive < majority:
			return fmt.Errorf("partition %d has no majority on %v", id, is.Replicas)
		}
	}
	if changes > 1 {
		return fmt.Errorf("%d changes at once", changes)
	}
	return nil
}

func difference(a, b []int) (n int) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			n++
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			n++
		}
	}
	return n
}

// asWished looks whether a request was fulfilled.
func asWished(before, after *cluster.Plan, r cluster.Request) error {
	_, member := after.Member(r.Node)
	switch {
	case after.Operation != nil || after.Last.Outcome != cluster.Done:
		return errors.New("it has not ended")
	case (r.What == cluster.Remove || r.What == cluster.Replace) && (member || len(after.Held(r.Node)) > 0):
		return errors.New("the node has not left")
	case r.What == cluster.Move && (slices.Contains(after.Of(r.Partition).Replicas, r.Node) || !slices.Contains(after.Of(r.Partition).Replicas, r.By)):
		return errors.New("it was not moved")
	case r.What == cluster.AddPartitions && (after.Active != r.Count || len(after.Partitions) != r.Count):
		return errors.New("another number of partitions")
	}
	for i := range after.Partitions {
		is, was := len(after.Partitions[i].Replicas), after.ReplicationFactor
		begun := i < len(before.Partitions) && (i < before.Active || r.What != cluster.AddPartitions) // else it is to be whole
		if begun && r.What != cluster.SetFactor {
			was = len(before.Partitions[i].Replicas)
		}
		if is != was {
			return fmt.Errorf("partition %d has %d replicas, want %d", i+1, is, was)
		}
	}
	return nil
}

func TestDecode_Refuses(t *testing.T) {
	for _, bad := range []string{``, `{}`, `{"clusterId":"x"}`, `[]`, `{"clusterId":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","began":{"nodes":1,"partitions":1,"replicationFactor":1},"active":1,"partitions":[{"replicas":[]}],"members":[{}]}`} {
		if _, err := cluster.Decode([]byte(bad)); err == nil {
			t.Errorf("%s is taken for a plan", bad)
		}
	}
}

// A node that comes without its disk is the same member; its disk may still come back.
func TestJoin_LostDisk(t *testing.T) {
	plan := began(3, 3, 1)
	anew := plan.Join(1, "1-anew")
	if m, ok := anew.Member(1); !ok || m.Server != "1-anew" || len(anew.Members) != 3 || anew.Left("1-began") {
		t.Errorf("%+v", anew)
	}
	if back := anew.Join(1, "1-began"); back == nil {
		t.Error("the disk is not taken back")
	}
	if anew.Join(1, "1-anew") != nil {
		t.Error("it is noted twice")
	}
}

// Partitions that were begun and did not become active are gone on with.
func TestAddPartitions_AgainAfterCancel(t *testing.T) {
	plan := began(3, 1, 2)
	begun := must(t, plan, cluster.Request{What: cluster.AddPartitions, Count: 3}, allAlive(3))
	for begun.Operation.Steps[begun.Operation.At].Kind != cluster.Define {
		if begun.Targets() != 1 {
			t.Errorf("%d targets before the partition is about to be given work", begun.Targets())
		}
		begun = begun.Advance("", 2)
	}
	if begun.Targets() != 2 || begun.Active != 1 {
		t.Errorf("%d targets, %d active", begun.Targets(), begun.Active)
	}
	ended := begun.Cancel("cancelled", 3)
	if len(ended.Partitions) != 2 || ended.Active != 1 || ended.Targets() != 1 {
		t.Errorf("%+v", ended)
	}
	again := must(t, ended, cluster.Request{What: cluster.AddPartitions, Count: 3}, allAlive(3))
	if want := []string{"give partition 2 all definitions", "give partition 2 work", "begin partition 3 on node 1"}; !slices.Equal(texts(again.Operation.Steps)[:3], want) {
		t.Errorf("%q", texts(again.Operation.Steps))
	}
	if done := finish(t, again); done.Active != 3 || done.Targets() != 3 {
		t.Errorf("%+v", done)
	}
}

func TestForce(t *testing.T) {
	plan := must(t, join(t, began(3, 3, 3), 3), cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 3}, allAlive(4))
	forced, err := plan.Force([]int{1, 3}, 5)
	if err != nil || forced.Version != plan.Version+1 || forced.Operation != nil || forced.Last.Request.What != cluster.ForceRemove {
		t.Fatalf("%v, %+v", err, forced)
	}
	for i := range forced.Partitions {
		if p := forced.Partitions[i]; slices.Contains(p.Nodes(), 1) || slices.Contains(p.Nodes(), 3) || len(p.Replicas) != 2 {
			t.Errorf("partition %d: %+v", i+1, p)
		}
	}
	if !forced.Left("1-began") || !forced.Left("3-joined") {
		t.Errorf("%v", forced.Gone)
	}
	if again, err := forced.Force([]int{1, 3}, 6); again != nil || err != nil {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := plan.Force([]int{0, 1, 2}, 5); err == nil {
		t.Error("a partition is given up altogether")
	}
}

// A copy that was being made when nodes were given up is given up too: whoever was
// to get it can leave, and can be given the partition again.
func TestForce_EndsCopies(t *testing.T) {
	plan := must(t, join(t, began(3, 3, 3), 3), cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 3}, allAlive(4))
	if plan.Operation.At != 0 || !slices.Equal(plan.Of(1).Learners, []int{3}) {
		t.Fatalf("%+v", plan)
	}
	forced, err := plan.Force([]int{1}, 5)
	if err != nil || len(forced.Of(1).Learners) > 0 || len(forced.Held(3)) > 0 {
		t.Fatalf("%v, %+v", err, forced)
	}
	seen := allAlive(4)
	seen.Alive[1] = false
	for _, c := range []struct {
		r    cluster.Request
		want []string
	}{
		{cluster.Request{What: cluster.Remove, Node: 3}, []string{"let node 3 leave"}},
		{cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 3}, []string{
			"copy partition 1 to node 3", "let node 3 vote in partition 1", "take partition 1 from node 0",
		}},
	} {
		if steps, err := forced.Steps(c.r, seen); err != nil || !slices.Equal(texts(steps), c.want) {
			t.Errorf("%s: %v, %q", c.r, err, texts(steps))
		}
	}
}
