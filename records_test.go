package grevy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/protocol"
)

// taken is a record as somebody has got it.
type taken struct {
	line      string
	Partition int `json:"partitionId"`
	Position  uint64
	ValueType string
	Intent    string
	Value     struct {
		ElementID          string `json:"elementId"`
		BpmnElementType    string
		ProcessInstanceKey protocol.Key
	}
}

func take(line string) (taken, error) {
	r := taken{line: line}
	return r, json.Unmarshal([]byte(line), &r)
}

// ears takes records, and tells which instances are completed by them.
type ears struct {
	mu        sync.Mutex
	list      []taken
	failures  int // of the next calls
	completed map[protocol.Key]bool
	news      chan struct{} // closed when another instance is completed
}

func newEars(failures int) *ears {
	return &ears{failures: failures, completed: map[protocol.Key]bool{}, news: make(chan struct{})}
}

var errBusy = errors.New("busy")

func (e *ears) take(partition int, line []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failures > 0 {
		e.failures--
		return errBusy
	}
	r, err := take(string(line))
	if err != nil || r.Partition != partition {
		return fmt.Errorf("partition %d: %w: %s", partition, err, line)
	}
	e.list = append(e.list, r)
	if r.Value.BpmnElementType == "PROCESS" && r.Intent == "ELEMENT_COMPLETED" {
		e.completed[r.Value.ProcessInstanceKey] = true
		close(e.news)
		e.news = make(chan struct{})
	}
	return nil
}

// wait waits until all of the instances are completed.
func (e *ears) wait(t *testing.T, instances []protocol.Key) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		e.mu.Lock()
		missing, news := slices.DeleteFunc(slices.Clone(instances), func(k protocol.Key) bool { return e.completed[k] }), e.news
		e.mu.Unlock()
		if len(missing) == 0 {
			return
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("no records of %d instances", len(missing))
		}
	}
}

// once drops what has come again, which must be the same, and expects the rest in
// order.
func once(t *testing.T, all []taken) (list []taken) {
	t.Helper()
	type place struct {
		partition int
		position  uint64
	}
	seen, last := map[place]string{}, map[int]uint64{}
	for _, r := range all {
		p := place{r.Partition, r.Position}
		if line, again := seen[p]; again {
			if line != r.line {
				t.Errorf("another record at the same place:\n%s\n%s", line, r.line)
			}
			continue
		}
		if seen[p] = r.line; r.Position <= last[r.Partition] {
			t.Errorf("partition %d: %d comes for the first time after %d", r.Partition, r.Position, last[r.Partition])
		}
		last[r.Partition] = r.Position
		list = append(list, r)
	}
	return list
}

// A file and a function get every record, through restarts and failures, in the
// order of each partition (docs/records.md).
func TestRecords_FileAndFunctionThroughRestarts(t *testing.T) {
	t.Parallel()
	c, heard := config(t), newEars(2)
	c.RecordLog, c.OnRecord = filepath.Join(t.TempDir(), "records.jsonl"), heard.take
	var instances []protocol.Key
	for range 3 {
		b := open(t, c)
		execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "")}})
		for n := range 30 {
			created := execute(t, b, protocol.PartitionID(n%3+1), latest("p")).(*protocol.Created)
			instances = append(instances, created.InstanceKey)
		}
		if err := b.Close(); err != nil { // some are not written yet: the next one goes on
			t.Fatal(err)
		}
		cutLine(t, c.RecordLog)
	}
	b := open(t, c)
	heard.wait(t, instances)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	byFunction := once(t, heard.list)
	byFile := once(t, readRecords(t, c.RecordLog))
	expectLives(t, byFunction, instances)
	expectLives(t, byFile, instances)
}

// cutLine leaves the beginning of another line at the end of the file, as a crash does.
func cutLine(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(`{"partitionId":1,"val`)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readRecords(t *testing.T, path string) (list []taken) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		r, err := take(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, r)
	}
	return list
}

// expectLives expects that the elements of each instance have lived, and nothing twice.
func expectLives(t *testing.T, list []taken, instances []protocol.Key) {
	t.Helper()
	const whole = "p ACTIVATING p ACTIVATED s ACTIVATING s ACTIVATED s COMPLETING s COMPLETED f TAKEN e ACTIVATING e ACTIVATED e COMPLETING e COMPLETED p COMPLETING p COMPLETED"
	lives := map[protocol.Key][]string{}
	for _, r := range list {
		if r.ValueType == "PROCESS_INSTANCE" {
			intent := strings.TrimPrefix(strings.TrimPrefix(r.Intent, "ELEMENT_"), "SEQUENCE_FLOW_")
			lives[r.Value.ProcessInstanceKey] = append(lives[r.Value.ProcessInstanceKey], r.Value.ElementID+" "+intent)
		}
	}
	for key, life := range lives {
		if got := strings.Join(life, " "); got != whole {
			t.Errorf("%d: %s", key, got)
		}
	}
	if got := slices.Sorted(maps.Keys(lives)); !slices.Equal(got, slices.Sorted(slices.Values(instances))) {
		t.Errorf("records of %d instances, there were %d", len(got), len(instances))
	}
}

// What was before the log is switched on is not recorded; what is between two
// times that it is on is neither.
func TestRecords_OnlyWhileTheyAreOn(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Partitions = 1
	var recorded []protocol.Key
	heard := newEars(0)
	for round := range 4 {
		if c.OnRecord = nil; round%2 == 1 {
			c.OnRecord = heard.take
		}
		b := open(t, c)
		execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "")}})
		created := execute(t, b, 1, latest("p")).(*protocol.Created)
		if c.OnRecord != nil {
			recorded = append(recorded, created.InstanceKey)
			heard.wait(t, recorded)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	expectLives(t, once(t, heard.list), recorded)
}

// A program that has the broker inside is told of everything that happens.
func ExampleConfig_onRecord() {
	dir, err := os.MkdirTemp("", "grevy-records-")
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan struct{})
	onRecord := func(_ int, record []byte) error { // an error: it is called again
		var r struct {
			ValueType, Intent string
			Value             struct{ ElementID, BpmnElementType string }
		}
		if err := json.Unmarshal(record, &r); err != nil {
			return err
		}
		if r.ValueType == "PROCESS_INSTANCE" && strings.HasSuffix(r.Intent, "ED") {
			fmt.Println(r.Value.ElementID, r.Intent)
		}
		if r.Value.BpmnElementType == "PROCESS" && r.Intent == "ELEMENT_COMPLETED" {
			close(ended)
		}
		return nil
	}
	b, err := grevy.Open(grevy.Config{DataDir: dir, Partitions: 1, PortOffset: exampleOffset(), WithoutHTTP: true, Log: slog.New(slog.DiscardHandler), OnRecord: onRecord})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range []protocol.Command{
		&protocol.Deploy{Resources: []protocol.Resource{process("p", "")}},
		latest("p"),
	} {
		if _, err := b.Execute(context.Background(), 1, c); err != nil {
			fmt.Println(err)
		}
	}
	<-ended
	if err := errors.Join(b.Close(), os.RemoveAll(dir)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// p ELEMENT_ACTIVATED
	// s ELEMENT_ACTIVATED
	// s ELEMENT_COMPLETED
	// e ELEMENT_ACTIVATED
	// e ELEMENT_COMPLETED
	// p ELEMENT_COMPLETED
}
