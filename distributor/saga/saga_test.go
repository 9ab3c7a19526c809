package saga_test

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func someRows(from, n int) []saga.Row {
	rows := make([]saga.Row, n)
	for i := range rows {
		rows[i] = saga.Row{Seq: saga.Seq(from + i), Size: 500, Since: epoch}
	}
	return rows
}

// timedSend is a Send to a healthy channel and when it was made; attempt
// numbers are left out, they count over all channels.
type timedSend struct {
	after    time.Duration
	from, to saga.Seq
}

// TestTroubleStaysAtHome: what a healthy target is sent, and when, is the same
// whatever its neighbours and its own other lane suffer.
func TestTroubleStaysAtHome(t *testing.T) {
	troubles := map[string]func(a saga.Send) saga.Result{
		"none":        func(a saga.Send) saga.Result { return saga.Acked{UpTo: a.To} },
		"silent":      func(saga.Send) saga.Result { return nil },
		"unreachable": func(saga.Send) saga.Result { return saga.Unreachable{Reason: "cut"} },
		"busy":        func(saga.Send) saga.Result { return saga.Busy{After: time.Hour} },
		"restored":    func(saga.Send) saga.Result { return saga.NeedBase{} },
		"refusing":    func(a saga.Send) saga.Result { return saga.Acked{UpTo: a.From, Refused: []saga.Refusal{{Seq: a.From}}} },
		"bodies":      func(saga.Send) saga.Result { return saga.NeedBodies{} },
	}
	want := sendsToHealthy(t, troubles["none"])
	if len(want) < 15 {
		t.Fatalf("only %d batches", len(want))
	}
	for name, trouble := range troubles {
		if got := sendsToHealthy(t, trouble); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the healthy target is sent %v, want %v", name, got, want)
		}
	}
}

func sendsToHealthy(t *testing.T, trouble func(saga.Send) saga.Result) []timedSend {
	t.Helper()
	healthy := outboxChannel(3, saga.Messages)
	others := []saga.Channel{outboxChannel(2, saga.Messages), outboxChannel(3, saga.Deployments), outboxChannel(4, saga.Signals)}
	s, now := saga.New(saga.Config{Seed: 5}), epoch
	var out []timedSend
	var next []saga.Send
	step := func(ev saga.Event) {
		for _, a := range s.Step(ev) {
			if send, ok := a.(saga.Send); ok {
				next = append(next, send)
				if send.Channel == healthy {
					out = append(out, timedSend{now.Sub(epoch), send.From, send.To})
				}
			}
		}
	}
	tables := []saga.Rows{{Channel: healthy, Rows: someRows(1, 2000)}}
	for _, c := range others {
		tables = append(tables, saga.Rows{Channel: c, Rows: someRows(1, 1000)})
	}
	step(saga.Started{Now: now, Tables: tables})
	for range 2000 {
		now = now.Add(10 * time.Millisecond)
		sends := next
		next = nil
		for _, a := range sends {
			res := saga.Result(saga.Acked{UpTo: a.To})
			if a.Channel != healthy {
				res = trouble(a)
			}
			if res != nil {
				step(saga.Answer{Now: now, Channel: a.Channel, Attempt: a.Attempt, Result: res})
			}
		}
		step(saga.Tick{Now: now})
	}
	// The last rows come late, when the troubles are in full swing.
	step(saga.RowsAdded{Now: now, Rows: saga.Rows{Channel: healthy, Rows: someRows(2001, 1000)}})
	return out
}

// TestRefusalsAreCut: an entry carries at most a window of refusals, and none is
// lost.
func TestRefusalsAreCut(t *testing.T) {
	c := outboxChannel(2, saga.Deployments)
	s := saga.New(saga.Config{Window: 10})
	all := make([]saga.Refusal, 25)
	for i := range all {
		all[i] = saga.Refusal{Seq: saga.Seq(i + 1), Reason: "no"}
	}
	s.Step(saga.Started{Now: epoch, Tables: []saga.Rows{{Channel: c, Rows: someRows(1, 25)}}})
	actions := s.Step(saga.Answer{Now: epoch, Channel: c, Attempt: 1, Result: saga.Acked{UpTo: 25, Refused: all}})
	var got []saga.Refusal
	for range 3 {
		d, ok := actions[0].(saga.Delete)
		if !ok || len(d.Acks) != 1 || len(d.Acks[0].Refused) > 10 {
			t.Fatalf("%v, want one deletion with at most 10 refusals", actions)
		}
		got = append(got, d.Acks[0].Refused...)
		actions = s.Step(saga.Deleted{Now: epoch, Acks: d.Acks})
	}
	if !reflect.DeepEqual(got, all) || len(actions) != 0 {
		t.Errorf("refusals %v, then %v", got, actions)
	}
}

// TestMemory: a pending row costs the State about eight bytes.
func TestMemory(t *testing.T) {
	const rows = 100_000
	tables := []saga.Rows{{Channel: outboxChannel(2, saga.Deployments), Rows: someRows(1, rows)}}
	before := heapInUse()
	s := saga.New(saga.Config{})
	s.Step(saga.Started{Now: epoch, Tables: tables})
	perRow := float64(heapInUse()-before) / rows
	runtime.KeepAlive(tables)
	if st := s.Status(); st[0].Pending != rows {
		t.Fatalf("%d rows pending", st[0].Pending)
	}
	t.Logf("%.1f bytes per row", perRow)
	if perRow > 16 {
		t.Errorf("%.1f bytes per row", perRow)
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkDrain drains one channel: start, then answers and deletions, batch by
// batch. ns/row must not depend on the size of the table.
func BenchmarkDrain(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := outboxChannel(2, saga.Deployments)
			tables := []saga.Rows{{Channel: c, Rows: someRows(1, n)}}
			b.ReportAllocs()
			for b.Loop() {
				drainAll(b, tables, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
		})
	}
}

func drainAll(b *testing.B, tables []saga.Rows, n int) {
	s := saga.New(saga.Config{})
	actions := s.Step(saga.Started{Now: epoch, Tables: tables})
	deleted := saga.Seq(0)
	for len(actions) > 0 {
		var next []saga.Action
		for _, a := range actions {
			switch a := a.(type) {
			case saga.Send:
				next = append(next, s.Step(saga.Answer{Now: epoch, Channel: a.Channel, Attempt: a.Attempt, Result: saga.Acked{UpTo: a.To}})...)
			case saga.Delete:
				deleted = a.Acks[0].UpTo
				next = append(next, s.Step(saga.Deleted{Now: epoch, Acks: a.Acks})...)
			}
		}
		actions = next
	}
	if int(deleted) != n {
		b.Fatalf("deleted up to %d of %d", deleted, n)
	}
}
