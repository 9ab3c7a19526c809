package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

var (
	seedFlag = flag.Uint64("seed", 0, "of TestRandom; 0: a new one")
	runsFlag = flag.Int("runs", 15, "of TestRandom")
)

// executed is a command of a run and how it ended.
type executed struct {
	part  int
	now   int64
	cmd   protocol.Command
	out   engine.Outcome
	entry uint64 // of its leadership
	asked bool   // the deployment partition, for what it missed
}

// world is a cluster in which entries are applied late and leaders crash.
type world struct {
	draining bool
	t        *testing.T
	rnd      *rand.Rand
	cluster  *enginetest.Cluster
	parts    []*enginetest.Partition
	makers   []*enginetest.Commander
	packing  []uint64
	models   [][]byte
	log      []executed // what is committed or may still be
	recorded []*lives   // of each partition, if what happens is recorded
}

// TestRandom runs random commands on random models, with entries in flight,
// crashes and commands that are thrown away. Then it runs those that were
// committed again, one by one, and compares every row and every answer.
func TestRandom(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	for i := range *runsFlag {
		s := seed + uint64(i)
		if !t.Run(fmt.Sprint(s), func(t *testing.T) { randomRun(t, s) }) {
			t.Fatalf("again by: go test -run TestRandom -seed %d -runs 1", s)
		}
	}
}

func randomRun(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 11))
	var models [][]byte
	for i := range 4 {
		callable := "p0"
		if i == 0 {
			callable = ""
		}
		id := fmt.Sprintf("p%d", i)
		m, err := enginetest.Model(id, enginetest.RandomModel(rnd, id, callable))
		check(t, err)
		models = append(models, m)
	}
	parts := rnd.IntN(2) == 0 // work is done in parts, as it would write too much
	c := enginetest.Config{Records: rnd.IntN(3) > 0, MessagePartitions: rnd.IntN(3)}
	if parts {
		c.CommandBytes = 6000 // one step may keep 500 others for later, ten bytes each (terminate.go:empty)
		for i := range models {
			if c.Records { // a row with a definition, whose content is recorded, must fit
				c.CommandBytes = max(c.CommandBytes, 1000+len(models[i])/3)
			}
		}
	}
	w := newWorld(t, rnd, models, c)
	for i := range models {
		r := protocol.Resource{Name: fmt.Sprintf("p%d.bpmn", i), Content: models[i]}
		w.makers[0].Bodies[engine.HashOf(r.Content)] = r.Content
		w.execute(0, &protocol.Deploy{Resources: []protocol.Resource{r}})
	}
	w.execute(0, &protocol.Deploy{Resources: []protocol.Resource{w.rules()}})
	for range 400 {
		w.step()
	}
	w.settle()
	w.sweep()
	if !parts { // how it is cut depends on what a leadership has done before
		w.compare(w.again())
	}
	w.drain()
}

// newWorld begins with two empty partitions. The command's bytes are few if work is
// to be done in parts.
func newWorld(t *testing.T, rnd *rand.Rand, models [][]byte, c enginetest.Config) *world {
	w := &world{t: t, rnd: rnd, models: models, packing: []uint64{1, 1}}
	c.Partitions, c.MaxJobBytes, c.ShareAbove = 2, 20_000, 20
	var err error
	w.cluster, err = enginetest.NewCluster(c)
	check(t, err)
	for i := range 2 {
		p, err := w.cluster.Partition(i + 1)
		check(t, err)
		w.parts = append(w.parts, p)
		w.makers = append(w.makers, enginetest.NewCommander(rnd, p.ID, models))
		if c.Records {
			w.recorded = append(w.recorded, newLives())
			p.Applied = w.recorded[i].entry
		}
		w.look(i)
	}
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rules is a resource whose decisions the models call.
func (w *world) rules() protocol.Resource {
	r := enginetest.RandomRules()
	w.makers[0].Bodies[engine.HashOf(r.Content)] = r.Content
	return r
}

// look reads what is committed, and checks it.
func (w *world) look(i int) {
	w.t.Helper()
	var err error
	w.makers[i].Seen, err = w.parts[i].Contents()
	check(w.t, err)
	w.makers[i].Remember()
	wrong, err := w.parts[i].Check()
	check(w.t, err)
	if len(wrong) > 0 {
		w.t.Fatalf("partition %d after %d commands: %v", i+1, len(w.log), wrong)
	}
	if w.recorded != nil {
		if wrong := w.recorded[i].check(w.makers[i].Seen); len(wrong) > 0 {
			w.t.Fatalf("partition %d after %d commands, by its records: %v", i+1, len(w.log), wrong)
		}
	}
}

func (w *world) step() {
	i := w.rnd.IntN(2)
	switch n := w.rnd.IntN(100); {
	case n < 60:
		w.execute(i, w.makers[i].Next(w.cluster.Now))
	case n < 63:
		lane := []protocol.Lane{protocol.LaneDeployments, protocol.LaneMessages, protocol.LaneSignals}[w.rnd.IntN(3)]
		w.execute(i, w.makers[i].Delivery(w.makers[1-i], epochOf(2-i), lane))
	case n < 64:
		w.execute(1, w.makers[1].Pulled(w.makers[0], epochOf(1)))
	case n < 66:
		w.acknowledge(i)
	case n < 70:
		check(w.t, w.parts[i].Abandon(w.makers[i].Next(w.cluster.Now)))
	case n < 80:
		w.pack(i)
	case n < 92:
		w.apply(i)
	case n < 94:
		w.crash(i)
	default:
		w.cluster.Now += w.rnd.Int64N(2000)
	}
}

// epochOf is the epoch of a partition in enginetest.
func epochOf(part int) uint64 { return uint64(100 * part) }

func (w *world) execute(i int, cmd protocol.Command) engine.Outcome {
	out, err := w.parts[i].Execute(cmd)
	check(w.t, err)
	if out.Miss != nil && (w.draining || w.rnd.IntN(2) == 0) {
		return w.asked(i, cmd)
	}
	w.note(i, cmd, out, false)
	return out
}

// asked executes a command whose misses the deployment partition cannot help.
func (w *world) asked(i int, cmd protocol.Command) engine.Outcome {
	out, err := w.parts[i].ExecuteAsked(cmd)
	check(w.t, err)
	w.note(i, cmd, out, true)
	return out
}

func (w *world) note(i int, cmd protocol.Command, out engine.Outcome, asked bool) {
	w.makers[i].Note(&out)
	if out.Err == nil && out.Miss == nil {
		w.log = append(w.log, executed{i, w.cluster.Now, cmd, out, w.packing[i], asked})
	}
}

// acknowledge tells a partition what is applied at the other, as acks are made
// from applied state only.
func (w *world) acknowledge(i int) {
	here, there := w.parts[i].ID, w.makers[1-i].Seen
	acks := []protocol.Ack{{Target: w.parts[1-i].ID, Lane: protocol.LaneDeployments, UpTo: there.Inbox[here].Seq}}
	for way, in := range there.Ways {
		if way.Source == here {
			acks = append(acks, protocol.Ack{Target: w.parts[1-i].ID, Lane: way.Lane, UpTo: in.Seq})
		}
	}
	slices.SortFunc(acks, func(a, b protocol.Ack) int { return int(a.Lane) - int(b.Lane) })
	w.execute(i, &protocol.Acknowledge{Acks: acks})
}

func (w *world) pack(i int) {
	_, err := w.parts[i].Pack()
	check(w.t, err)
	w.packing[i]++
}

func (w *world) apply(i int) {
	if err := w.parts[i].Apply(); !errors.Is(err, enginetest.ErrNothingFlies) {
		check(w.t, err)
		w.look(i)
	}
}

// crash forgets what was not applied.
func (w *world) crash(i int) {
	applied := w.packing[i] - 1 - uint64(len(w.parts[i].Flying))
	check(w.t, w.parts[i].Crash())
	w.packing[i] = 1
	kept := w.log[:0]
	for _, e := range w.log {
		if e.part != i || e.entry <= applied {
			if e.part == i {
				e.entry = 0
			}
			kept = append(kept, e)
		}
	}
	w.log = kept
}

// settle commits everything.
func (w *world) settle() {
	for i, p := range w.parts {
		check(w.t, p.CommitAll())
		w.packing[i]++
		w.look(i)
	}
}

// sweep lets the partitions forget what is deleted and needed by nobody: when
// they do so depends on what they have committed.
func (w *world) sweep() {
	for range 2 {
		w.cluster.Now += 60_000
		for i := range w.parts {
			w.execute(i, &protocol.Tick{})
		}
		w.settle()
	}
}

// again runs the committed commands one by one in a new cluster.
func (w *world) again() *world {
	b := newWorld(w.t, w.rnd, w.models, enginetest.Config{Records: w.cluster.Records, MessagePartitions: w.cluster.MessagePartitions})
	for n, e := range w.log {
		b.cluster.Now = e.now
		replay := b.execute
		if e.asked {
			replay = b.asked
		}
		out := replay(e.part, e.cmd)
		if !reflect.DeepEqual(out, e.out) {
			w.t.Fatalf("command %d of %d, %T %+v\n now %+v\nthen %+v", n, len(w.log), e.cmd, e.cmd, out, e.out)
		}
		check(b.t, b.parts[e.part].CommitAll())
	}
	for i := range b.parts {
		b.look(i)
	}
	return b
}

// compare expects the same rows.
func (w *world) compare(b *world) {
	for i := range w.parts {
		got, err := w.parts[i].Rows()
		check(w.t, err)
		want, err := b.parts[i].Rows()
		check(w.t, err)
		if !slices.Equal(got, want) {
			w.t.Errorf("partition %d: %d rows with crashes, %d without\n%v\n%v", i+1, len(got), len(want), missing(got, want), missing(want, got))
		}
	}
}

func missing(from, in []string) (list []string) {
	for _, s := range in {
		if !slices.Contains(from, s) {
			list = append(list, s)
		}
	}
	return list
}
