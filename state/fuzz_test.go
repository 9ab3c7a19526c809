package state_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// goldenRows are keys and values of every table.
func goldenRows(t testing.TB) (rows [][2][]byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		k, v, ok := strings.Cut(strings.TrimSpace(line), " = ")
		key, errK := hex.DecodeString(k)
		value, errV := hex.DecodeString(v)
		if ok && errors.Join(errK, errV) == nil {
			rows = append(rows, [2][]byte{key, value})
		}
	}
	if len(rows) == 0 {
		t.Fatal("no rows")
	}
	return rows
}

// FuzzRows: whatever stands in a row, all that reads rows ends with an error, or
// takes it for what it says: no panic, no endless walk.
func FuzzRows(f *testing.F) {
	for _, r := range goldenRows(f) {
		f.Add(r[0], r[1])
	}
	f.Fuzz(func(t *testing.T, k, v []byte) {
		if len(k) == 0 || len(k) > 1<<12 {
			return
		}
		// The fuzzer itself says nothing of what does not end.
		defer time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("endless: row %x is %x", k, v)) }).Stop()
		kv, prefix := memkv.New(), state.Prefix(1, 1)
		if err := kv.Update([]state.Op{{Key: append(bytes.Clone(prefix), k...), Value: v}}); err != nil {
			t.Fatal(err)
		}
		view := state.NewView(kv.Snapshot(), prefix)
		defer view.Close()
		over, err := state.NewOverlay(view, 1)
		if err != nil {
			return // the counter or the epoch is no number
		}
		tx := state.NewTx(over)
		for _, read := range reads {
			tx.Reset()
			read(tx)
		}
		readAlone(k, v)
	})
}

// reads asks for what the golden rows are, by their keys.
var reads = []func(*state.Tx){
	func(tx *state.Tx) { tx.Element(key(5)) }, func(tx *state.Tx) { tx.LoadVariables(sampleInstance()) },
	func(tx *state.Tx) { tx.Children(sampleInstance(), 10) }, func(tx *state.Tx) { tx.Job(key(6)) }, func(tx *state.Tx) { tx.Incident(key(7)) },
	func(tx *state.Tx) { tx.ActivatableJobs("work", 0, func(protocol.Key) bool { return true }) },
	func(tx *state.Tx) { tx.Due(state.TableDeadline, 1<<60, 10) }, func(tx *state.Tx) { tx.DueTimers(1<<60, 10) },
	func(tx *state.Tx) { tx.Definition(key(2)) }, func(tx *state.Tx) { tx.Latest(protocol.DecisionDefinition, "order") },
	func(tx *state.Tx) { tx.Newest(protocol.DecisionDefinition, "order") }, func(tx *state.Tx) { tx.Version(protocol.DecisionDefinition, "order", 3) },
	func(tx *state.Tx) { tx.Tagged(protocol.DecisionDefinition, "order", "stable") }, func(tx *state.Tx) { tx.Members(key(1)) },
	func(tx *state.Tx) { tx.Member(key(1), protocol.DecisionDefinition, "order") }, func(tx *state.Tx) { tx.Deployment(key(1)) },
	func(tx *state.Tx) { _, _ = tx.Deployments(1<<62, 10) }, func(tx *state.Tx) { _, _ = tx.Definitions(0, 10) },
	func(tx *state.Tx) { tx.Draining() }, func(tx *state.Tx) { tx.UncommittedDefinitions() },
	func(tx *state.Tx) { tx.Roots(0, 10) }, func(tx *state.Tx) { tx.HasInstance(key(2), 10) }, func(tx *state.Tx) { tx.Digest() },
	func(tx *state.Tx) { tx.Compensables(key(5), 0) }, func(tx *state.Tx) { tx.AllCompensating(key(5), 10) },
	func(tx *state.Tx) { tx.Subscribers("m", "c", func(*state.Subscriber) bool { return true }) },
	func(tx *state.Tx) { tx.Messages("m", "c", func(*state.Message) bool { return true }) }, func(tx *state.Tx) {
		for _, d := range tx.Due(state.TableExpiry, 1<<60, 10) {
			tx.DueMessage(d)
		}
	},
	func(tx *state.Tx) { tx.KeyLock("p", "c") }, func(tx *state.Tx) { tx.SignalWaits("s", 0, 1<<62, 10) }, func(tx *state.Tx) { tx.Broadcast(key(5)) },
	func(tx *state.Tx) { tx.StartTimers(key(2)) }, func(tx *state.Tx) { tx.Epoch() }, func(tx *state.Tx) { tx.Inbox(1, protocol.LaneMessages) },
	func(tx *state.Tx) { tx.LaneSeq(protocol.LaneDeployments) }, func(tx *state.Tx) { tx.FirstOutbox(2, protocol.LaneMessages) },
	func(tx *state.Tx) { tx.Body(sampleHash) },
}

// readAlone gives a row to what takes bytes and no store.
func readAlone(k, v []byte) {
	_, _ = state.ReadInstance(v)
	_, _ = state.ReadJob(v)
	_, _ = state.ReadOutboxRow(k, v)
	_, _ = state.ReadDeploymentRecord(v)
	_, _, _ = state.ReadExported(v)
	state.ReadInbox(v)
}
