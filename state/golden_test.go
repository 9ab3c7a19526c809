package state_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

var rewrite = flag.Bool("rewrite", false, "write the golden rows anew: only for a format that nobody stores yet")

func key(n int64) protocol.Key { return protocol.NewKey(1, n) }

var sampleHash = protocol.Hash{0: 0xAA, 31: 0xBB}

func sampleInstance() *state.ElementInstance {
	e := &state.ElementInstance{
		Key: key(5), Scope: key(4), Instance: key(3), Definition: key(2), Element: "sub", State: state.Activated,
		Job: key(6), Incident: key(7), Children: []protocol.Key{key(8), key(9)},
		Joins:       []state.Join{{Element: "j", Flows: []state.FlowCount{{Flow: "a_j", Count: 2}}}},
		AwaitResult: true, Fetch: []string{"x"}, ProcessID: "order", Version: 3,
	}
	e.SetVariable("x", []byte("1"))
	return e
}

func sampleJob(s state.JobState, deadline int64) *state.Job {
	return &state.Job{
		Key: key(6), Element: key(5), Instance: key(3), Definition: key(2), Type: "work", ElementID: "t", ProcessID: "order",
		Version: 3, State: s, Retries: 2, Deadline: deadline, Worker: "w", Headers: []byte("{}"), Incident: key(7),
	}
}

var sampleDefinition = protocol.Definition{
	Kind: protocol.DecisionDefinition, Key: key(2), ID: "order", Name: "Order", Version: 3, VersionTag: "stable", ResourceName: "order.dmn",
	Hash: sampleHash, DeploymentID: key(1), Index: 1, Parent: key(3), ParentID: "orders",
}

// writes has a row of every table.
var writes = []struct {
	name  string
	write func(*state.Tx)
}{
	{"meta counter", func(tx *state.Tx) { tx.NextKey(1) }},
	{"meta plan", func(tx *state.Tx) { tx.SetPlan(3, []byte("{}")) }},
	{"meta epoch", func(tx *state.Tx) { tx.SetEpoch(77) }},
	{"definition, version, member, tagged, latest", func(tx *state.Tx) { tx.PutDefinition(&sampleDefinition) }},
	{"definition that drains", func(tx *state.Tx) {
		tx.PutDefinition(&sampleDefinition)
		tx.Withdraw(&sampleDefinition)
		tx.AddDraining(sampleDefinition.Key)
	}},
	{"tombstone", func(tx *state.Tx) { tx.PutTombstone(&sampleDefinition) }},
	{"deployment", func(tx *state.Tx) {
		tx.PutDeployment(&protocol.Deployment{Key: key(1), Time: 1700000000000, Definitions: []protocol.Definition{sampleDefinition}}, 9)
	}},
	{"refused", func(tx *state.Tx) { tx.Put(state.RefusedKey(key(1), 2), []byte("no")) }},
	{"content", func(tx *state.Tx) { tx.AddBody(sampleHash, []byte("<x/>")) }},
	{"element", func(tx *state.Tx) { tx.InsertElement(sampleInstance()) }},
	{"element with variables apart", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(3), Instance: key(3), Definition: key(2), Element: "order", State: state.Activated, ProcessID: "order", Version: 3}
		e.SetVariable("v", []byte(strings.Repeat("7", state.MaxInlineVariables)))
		tx.InsertElement(e)
	}},
	{"job, activatable", func(tx *state.Tx) { tx.PutJob(nil, sampleJob(state.JobActivatable, 0)) }},
	{"job, deadline", func(tx *state.Tx) { tx.PutJob(nil, sampleJob(state.JobActivated, 1700000060000)) }},
	{"job, back-off", func(tx *state.Tx) { tx.PutJob(nil, sampleJob(state.JobFailed, 1700000060000)) }},
	{"incident", func(tx *state.Tx) {
		tx.InsertIncident(&state.Incident{Key: key(7), Element: key(5), Instance: key(3), Job: key(6), Type: "JOB_NO_RETRIES", Message: "no", Step: 4, Since: 1700000000000})
	}},
	{"child", func(tx *state.Tx) {
		tx.AddChild(&state.ElementInstance{Key: key(3), Children: make([]protocol.Key, state.MaxInlineChildren)}, key(8))
	}},
	{"element with timers and what is pending, timer", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Scope: key(4), Instance: key(3), Definition: key(2), Element: "t", State: state.Activated}
		tx.AddTimer(e, state.Timer{Key: key(10), Due: 1700000060000, Event: "b", Repeats: 2, Cycle: "R2/PT1M"})
		e.Extra.Pending = &state.Pending{Event: "b", Variables: []state.Variable{{Name: "x", Value: []byte("1")}}}
		tx.InsertElement(e)
	}},
	{"element that has called, and is called", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(5), Definition: key(2), Element: "p", State: state.Activated}
		e.Extra = &state.Extra{Called: key(12), Caller: key(4), Depth: 3}
		tx.InsertElement(e)
	}},
	{"body of a multi-instance activity", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(3), Definition: key(2), Element: "p", State: state.Activated}
		e.Extra = &state.Extra{Loop: &state.Loop{Total: 4, Created: 3, Done: 1, Terminated: 1}, Index: 4, Vacates: true}
		tx.InsertElement(e)
		tx.PutLoopRow(e.Key, state.LoopResults, 2, [][]byte{nil, []byte("7")}, true)
	}},
	{"event behind an event-based gateway", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(3), Definition: key(2), Element: "p", State: state.Activating}
		e.Extra = &state.Extra{Happened: true}
		tx.InsertElement(e)
	}},
	{"element whose second listener is at work", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(3), Definition: key(2), Element: "t", State: state.Activating, Job: key(6)}
		e.Extra = &state.Extra{Listener: 2}
		tx.InsertElement(e)
	}},
	{"user task without a job", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(3), Definition: key(2), Element: "t", State: state.Activated}
		e.Extra = &state.Extra{UserTask: key(13)}
		tx.InsertElement(e)
	}},
	{"element that waits for a message and a signal, begun by a message", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(3), Instance: key(3), Definition: key(2), Element: "p", State: state.Activated}
		e.Extra = &state.Extra{StartKey: "o-1", Subscriptions: []state.Subscription{
			{Key: key(11), Event: "b", Name: "paid", CorrelationKey: "o-1"}, {Key: key(12), Event: "s", Name: "stop", Signal: true},
		}}
		tx.InsertElement(e)
		tx.AddSignal("stop", key(12), e.Key)
		tx.SetKeyLock("order", "o-1", e.Key)
	}},
	{"subscriber", func(tx *state.Tx) {
		s := protocol.Subscription{Key: key(11), Element: key(5), Instance: key(3), ProcessID: "order", ElementID: "t", Name: "paid", CorrelationKey: "o-1", Interrupting: true}
		tx.PutSubscriber(&state.Subscriber{Subscription: s, Message: key(13)}, true)
	}},
	{"message that somebody has had", func(tx *state.Tx) {
		tx.InsertMessage(&state.Message{Key: key(13), Name: "paid", CorrelationKey: "o-1", ID: "m", Deadline: 1700000060000, Variables: []byte(`{"x":1}`)})
		tx.SetCorrelated(key(13), "order")
	}},
	{"starts of a definition", func(tx *state.Tx) {
		tx.PutStart(&state.Start{Kind: state.SignalStart, Name: "stop", ProcessID: "order", Definition: key(2), Event: "s", Key: key(14)})
		tx.PutStartTimers(key(2), nil, []state.Timer{{Key: key(15), Due: 1700000060000, Event: "ts", Repeats: -1, Cycle: "R/PT1M"}})
	}},
	{"signal on its way", func(tx *state.Tx) {
		tx.PutBroadcast(key(16), &state.Broadcast{Name: "stop", Variables: []byte(`{"x":1}`), After: key(12)}, true)
	}},
	{"document of many, signal and message that have it, start of an instance that is yet to come", func(tx *state.Tx) {
		doc := tx.Share(key(17), []byte(`{"x":1}`))
		tx.PutBroadcast(key(16), &state.Broadcast{Name: "stop", Variables: doc}, true)
		tx.AddLater(&state.Later{
			What:       protocol.Correlate{Message: key(13), Name: "paid", CorrelationKey: "o-1", ProcessID: "order", Variables: doc},
			Definition: key(2), Root: key(19), Event: "s",
		})
	}},
	{"scope with completed activities, compensable", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(5), Instance: key(3), Definition: key(2), Element: "p", State: state.Activated}
		tx.AddCompensable(e, state.Compensable{Key: key(7), Instance: key(6), Activity: "a", Handler: "h"})
		tx.MoveCompensables(e)
		tx.AddCompensable(e, state.Compensable{Key: key(9), Instance: key(8), Activity: "q", Inside: true})
		tx.InsertElement(e)
	}},
	{"event that compensates, compensating", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(10), Instance: key(3), Definition: key(2), Element: "t", State: state.Activated}
		e.More().Compensate().Search = []state.CompensationSearch{{Scope: key(5), Parent: key(9), Next: 1, End: 2}}
		tx.InsertElement(e)
		c := state.Compensable{Key: key(7), Instance: key(6), Activity: "a", Handler: "h"}
		tx.PutCompensating(e.Key, &state.Compensating{Compensable: c, Scope: key(5), Parent: key(9), HandlerInstance: key(11), Open: 1}, true)
	}},
	{"handler", func(tx *state.Tx) {
		e := &state.ElementInstance{Key: key(11), Instance: key(3), Definition: key(2), Element: "h", State: state.Activated, Job: key(12)}
		e.Extra = &state.Extra{Compensation: &state.Compensation{Throw: key(10), Subscription: key(7)}}
		tx.InsertElement(e)
	}},
	{"how far the record log is", func(tx *state.Tx) {
		tx.SetExported(1000, protocol.Guard{Term: 3, Incarnation: 0x0102030405060708, Seq: 9})
	}},
	{"outbox", func(tx *state.Tx) {
		tx.AddOutbox(&state.OutboxRow{Target: 2, Lane: protocol.LaneDeployments, Seq: 9, Since: 1700000000000, Command: &protocol.Distribute{Deployment: protocol.Deployment{Key: key(1)}}})
	}},
	{"inbox", func(tx *state.Tx) { tx.SetInbox(1, protocol.LaneDeployments, state.Inbox{Epoch: 77, Seq: 9}) }},
	{"lane", func(tx *state.Tx) { tx.NextSeq(protocol.LaneDeployments) }},
	{"lane to one partition", func(tx *state.Tx) { tx.NextSeqTo(protocol.LaneMessages, 2) }},
	{"continue", func(tx *state.Tx) { tx.Insert(state.TableContinue.OfKey(key(9)), []byte{1, 3, 10}) }},
	{"parts", func(tx *state.Tx) {
		tx.Put(state.TableMeta.Key(0), []byte(strings.Repeat("p", state.MaxValue+1)))
	}},
}

// rows prints the ops that a write makes.
func rows(t *testing.T, write func(*state.Tx)) (list []string) {
	t.Helper()
	o, _ := newOverlay(t)
	tx := state.NewTx(o)
	write(tx)
	tx.Commit()
	entry, _ := o.Pack(nil)
	r := protocol.NewReader(entry)
	for r.Len() > 0 {
		op, err := protocol.ReadOp(r)
		if err != nil {
			t.Fatal(err)
		}
		value := fmt.Sprintf("%x", op.Value)
		if len(value) > 1000 {
			value = fmt.Sprintf("%s… %d bytes", value[:32], len(op.Value))
		}
		list = append(list, fmt.Sprintf("  %x = %s", op.Key, value))
	}
	return list
}

// TestGolden: the rows that one version stores, another reads.
func TestGolden(t *testing.T) {
	var b strings.Builder
	seen := map[byte]bool{}
	for _, w := range writes {
		fmt.Fprintln(&b, w.name)
		for _, row := range rows(t, w.write) {
			fmt.Fprintln(&b, row)
			var table byte
			if _, err := fmt.Sscanf(row, "  %2x", &table); err != nil {
				t.Fatal(err)
			}
			seen[table] = true
		}
	}
	const file = "testdata/golden.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
	if len(seen) != 41 {
		t.Errorf("%d of 41 tables have a row here", len(seen))
	}
}

// TestRefusesDamage: what was cut short or prolonged is refused, and never
// makes the reader fall.
func TestRefusesDamage(t *testing.T) {
	instance := state.AppendInstance(nil, sampleInstance())
	job := state.AppendJob(nil, sampleJob(state.JobActivated, 5))
	for n := range len(instance) {
		if _, err := state.ReadInstance(instance[:n]); err == nil {
			t.Errorf("an element cut to %d of %d bytes is taken", n, len(instance))
		}
	}
	for n := range len(job) {
		if _, err := state.ReadJob(job[:n]); err == nil {
			t.Errorf("a job cut to %d of %d bytes is taken", n, len(job))
		}
	}
	if _, err := state.ReadInstance(append(instance, 0)); err == nil {
		t.Error("an element with a byte too many is taken")
	}
	if _, err := state.ReadJob(append(job, 0)); err == nil {
		t.Error("a job with a byte too many is taken")
	}
}

// A damaged count of parts must not be believed.
func TestParts_DamagedCounts(t *testing.T) {
	for _, head := range [][]byte{
		{}, {9}, {1}, {1, 1}, {1, 0, 1}, {1, 1, 0, 7},
		protocol.AppendUint([]byte{1, 1}, 1<<60),
		protocol.AppendUint(protocol.AppendUint([]byte{1}, 1<<40), 1<<60),
		protocol.AppendUint(protocol.AppendUint([]byte{1}, 1<<62), 1<<62),
	} {
		o, a := newOverlay(t)
		k := state.TableElement.Of(1)
		a.apply(t, protocol.AppendOp(nil, &protocol.Op{Kind: protocol.OpPut, Key: k, Value: head}))
		o.Rebase(a.view(), 0)
		if v, err := o.Get(k); err == nil {
			t.Errorf("%x is read as %d bytes", head, len(v))
		}
	}
}

func FuzzReadInstance(f *testing.F) {
	f.Add(state.AppendInstance(nil, sampleInstance()))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := state.ReadInstance(b)
		if err != nil {
			return
		}
		stored := state.AppendInstance(nil, e)
		again, err := state.ReadInstance(stored)
		if err != nil || !bytes.Equal(state.AppendInstance(nil, again), stored) {
			t.Fatalf("%+v with %+v comes back as %+v with %+v, %v", e, e.Extra, again, again.Extra, err)
		}
	})
}

func FuzzReadJob(f *testing.F) {
	f.Add(state.AppendJob(nil, sampleJob(state.JobFailed, 7)))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := state.ReadJob(b)
		if err != nil {
			return
		}
		again, err := state.ReadJob(state.AppendJob(nil, j))
		if err != nil || fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", j) {
			t.Fatalf("%+v comes back as %+v, %v", j, again, err)
		}
	})
}
