package partitionactor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// sink keeps what is exported to it. It outlives the node that writes.
type sink struct {
	mu    sync.Mutex
	lines []line
	calls int
	fail  func(call int) (keep bool, err error) // nil: never
	syncs int
}

type line struct {
	Position            uint64
	ValueType, Intent   string
	RecordType          string
	Key                 int64
	SourceRecordPositon int64
	Value               struct{ ElementID string }
}

var errDisk = errors.New("no space left")

func (s *sink) Write(_ protocol.PartitionID, lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	keep, err := true, error(nil)
	if s.fail != nil {
		keep, err = s.fail(s.calls)
	}
	if !keep {
		return err
	}
	for l := range bytes.Lines(lines) {
		var rec line
		if err := json.Unmarshal(l, &rec); err != nil {
			return err
		}
		s.lines = append(s.lines, rec)
	}
	return err
}

func (s *sink) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.syncs++
	return nil
}

// seen returns the records so far, repeats left out; it is an error if one comes
// before another of a lower position that was not there.
func (s *sink) seen(t *testing.T) (list []line) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := uint64(0)
	known := map[uint64]bool{}
	for _, l := range s.lines {
		if !known[l.Position] && l.Position < last {
			t.Errorf("position %d comes first after %d", l.Position, last)
		}
		if !known[l.Position] {
			known[l.Position] = true
			last = l.Position
			list = append(list, l)
		}
	}
	return list
}

// instances waits until as many instances have come to an end in the records,
// and checks that each record of them is there.
func (s *sink) instances(t *testing.T, want int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		events := map[string]int{}
		for _, l := range s.seen(t) {
			if l.ValueType == "PROCESS_INSTANCE" && l.RecordType == "EVENT" {
				events[l.Intent+" "+l.Value.ElementID]++
			}
		}
		if events["ELEMENT_COMPLETED p"] == want {
			for _, e := range []string{
				"ELEMENT_ACTIVATING p", "ELEMENT_ACTIVATED p", "ELEMENT_ACTIVATING s", "SEQUENCE_FLOW_TAKEN f", "ELEMENT_COMPLETED e", "ELEMENT_COMPLETING p",
			} {
				if events[e] != want {
					t.Fatalf("%d × %s of %d instances: %v", events[e], e, want, events)
				}
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d instances are in the records: %v", events["ELEMENT_COMPLETED p"], want, events)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func recorded(t *testing.T, size int, s *sink) ([]*node, func(*node)) {
	t.Helper()
	nodes, servers := cluster(t, size, partitionactor.Limits{}, func(n *node) { n.records = s })
	return nodes, func(n *node) { n.start(servers) }
}

func TestExporter_EachRecordInOrder(t *testing.T) {
	t.Parallel()
	s := &sink{}
	nodes, _ := recorded(t, 1, s)
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	for range 50 {
		n.must(create("p"))
	}
	s.instances(t, 50)
	first := s.seen(t)[0]
	if first.ValueType != "DEPLOYMENT" || first.RecordType != "COMMAND" || first.Key != -1 {
		t.Errorf("the first record is %+v", first)
	}
	deadline := time.Now().Add(10 * time.Second) // they are counted when they are written
	for st := n.part.Exported(); st.Records != uint64(len(s.seen(t))) || st.Problem != "" || st.Lost != 0; st = n.part.Exported() {
		if time.Now().After(deadline) {
			t.Fatalf("status %+v for %d records", st, len(s.seen(t)))
		}
		<-time.After(2 * time.Millisecond)
	}
}

// What was written and not noted comes again after a restart, what was not
// written comes then.
func TestExporter_RestartBetweenWriteAndNote(t *testing.T) {
	t.Parallel()
	s := &sink{}
	nodes, start := recorded(t, 1, s)
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	want := 0
	for i := range 4 {
		s.mu.Lock()
		s.fail = []func(int) (bool, error){
			func(int) (bool, error) { return true, nil },
			func(int) (bool, error) { return true, errDisk }, // taken, and not said so
			func(int) (bool, error) { return false, errDisk },
			nil,
		}[i]
		s.mu.Unlock()
		for range 10 {
			n.must(create("p"))
			want++
		}
		if i == 1 || i == 2 {
			eventually(t, func() bool { return n.part.Exported().Problem != "" })
		}
		n.stop()
		start(n)
		leader(t, n)
	}
	s.instances(t, want)
}

func TestExporter_TriesAgainAndThePartitionGoesOn(t *testing.T) {
	t.Parallel()
	s := &sink{fail: func(call int) (bool, error) {
		if call < 5 {
			return false, errDisk
		}
		return true, nil
	}}
	nodes, _ := recorded(t, 1, s)
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	for range 20 {
		n.must(create("p"))
	}
	s.instances(t, 20)
	eventually(t, func() bool { return n.part.Exported().Problem == "" }) // it is noted after it was written
	if st := n.part.Exported(); st.Failures != 4 {
		t.Errorf("status %+v", st)
	}
}

// led executes a command at whoever leads, and returns that node: on a busy machine
// leadership may change by itself, and who refuses has certainly not executed it.
func led(t *testing.T, nodes []*node, c protocol.Command) *node {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		n := leader(t, nodes...)
		a := n.do(c)
		var refusal *protocol.Refusal
		if a.err == nil {
			return n
		}
		if !errors.As(a.err, &refusal) || time.Now().After(end) {
			t.Fatalf("%s: %v", c.Intent(), a.err)
		}
	}
}

func TestExporter_LeaderChange(t *testing.T) {
	t.Parallel()
	s := &sink{}
	nodes, start := recorded(t, 3, s)
	n := led(t, nodes, &protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	want := 0
	for range 3 {
		for range 10 {
			n = led(t, nodes, create("p"))
			want++
		}
		n.stop()
		others := slices.DeleteFunc(slices.Clone(nodes), func(o *node) bool { return o == n })
		leader(t, others...)
		start(n)
	}
	s.instances(t, want)
}

// The note is forgotten when nobody wants records any more, so that it holds back
// no log.
func TestExporter_SwitchedOff(t *testing.T) {
	t.Parallel()
	s := &sink{}
	nodes, start := recorded(t, 1, s)
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	n.must(create("p"))
	s.instances(t, 1)
	noted := func() bool {
		view, _, _ := n.part.Group().View()
		defer view.Close()
		b, err := view.Get([]byte{0x34})
		return err == nil && len(b) == 32
	}
	eventually(t, noted)
	n.stop()
	n.records = nil
	start(n)
	leader(t, n)
	eventually(t, func() bool { return !noted() })
	before := len(s.seen(t))
	n.must(create("p"))
	if len(s.seen(t)) != before {
		t.Error("records were written without a record log")
	}
}

// A note that was refused, here because the disk was full, is written later, though
// nothing else happens: until then the log is kept.
func TestExporter_NotesAgain(t *testing.T) {
	s, r := &sink{}, newRoom()
	nodes, _ := cluster(t, 1, partitionactor.Limits{}, func(n *node) { n.records, n.space = s, r.watch })
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
	n.must(create("p"))
	r.set(t, 400)
	s.instances(t, 1)
	eventually(t, func() bool { return n.part.Gate().OutOfSpace() > 0 })
	last := n.part.Group().Applied().Index
	r.set(t, 1<<20)
	eventually(t, func() bool {
		view, _, _ := n.part.Group().View()
		defer view.Close()
		b, err := view.Get(state.ExportedKey)
		index, _, _ := state.ReadExported(b)
		return err == nil && index >= last
	})
}

func eventually(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about")
		}
		<-time.After(2 * time.Millisecond)
	}
}
