package saga_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// FuzzStep feeds any sequence of events, sensible or not, and lets the checker
// look at every action. Then it answers properly and everything must drain: no
// event sequence may lose a row or leave a channel stuck.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 0, 0, 5, 1, 1, 0, 3, 2, 0, 1, 0, 3, 0, 3, 0})
	f.Add([]byte{1, 0, 0, 9, 10, 0, 0, 0, 2, 0, 5, 4, 9, 0, 0, 9, 6, 1, 0, 0, 3, 0, 9, 1, 8, 0, 0, 200})
	f.Add([]byte{1, 3, 2, 2, 1, 3, 8, 3, 2, 3, 9, 5, 7, 0, 255, 255, 2, 3, 1, 0, 1, 3, 4, 3})
	f.Fuzz(playBytes)
}

// TestRandomEvents gives long random sequences to the same check: the fuzzer's
// own are short at first.
func TestRandomEvents(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 4))
		data := make([]byte, 4*300)
		for i := range data {
			data[i] = byte(rng.Uint32())
			// Three of four channel bytes point to the attempt under way.
			if i%4 == 1 && rng.IntN(4) > 0 {
				data[i] %= 128
			}
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { playBytes(t, data) }) {
			return
		}
	}
}

func playBytes(t *testing.T, data []byte) {
	z := newFuzzer(t)
	z.step(saga.Started{Now: z.now})
	for len(data) >= 4 && len(z.k.events) < 400 {
		z.event(data[0], data[1], data[2], data[3])
		data = data[4:]
	}
	z.drain()
	if err := z.k.replay(); err != nil {
		t.Fatal(err)
	}
}

type fuzzer struct {
	t        *testing.T
	k        *checker
	now      time.Time
	proposed [][]saga.Ack
	attempts []uint64 // last attempts of all channels, newest last
	todo     []saga.Action
}

func newFuzzer(t *testing.T) *fuzzer {
	cfg := saga.Config{
		Window: 4, WindowBytes: 200, RetryMin: 50 * time.Millisecond, RetryMax: 3 * time.Second,
		AckTimeout: 5 * time.Second, DeleteTimeout: 30 * time.Second, Seed: 3,
	}
	return &fuzzer{t: t, k: newChecker(cfg, t.Fatalf), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (z *fuzzer) step(ev saga.Event) {
	for _, a := range z.k.step(z.now, ev) {
		switch a := a.(type) {
		case saga.Send:
			z.attempts = append(z.attempts, a.Attempt)
			z.todo = append(z.todo, a)
		case saga.SendBase:
			z.attempts = append(z.attempts, a.Attempt)
			z.todo = append(z.todo, a)
		case saga.Delete:
			z.proposed = append(z.proposed, a.Acks)
		}
	}
}

// event makes an event of four bytes: kind, channel, and two for its contents.
func (z *fuzzer) event(kind, where, x, y byte) {
	c := outboxChannel(int(where&1)+2, saga.Lane(where>>1&1)+saga.Deployments)
	switch kind % 11 {
	case 0:
		z.step(saga.Started{Now: z.now, Tables: z.tables(c, x, y)})
		z.proposed = nil
	case 1:
		z.step(saga.RowsAdded{Now: z.now, Rows: rowsFrom(c, x, y, z.now)})
	case 2, 3, 4:
		z.step(saga.Answer{Now: z.now, Channel: c, Attempt: z.attempt(c, where>>2), Result: fuzzResult(kind/11, x, y)})
	case 5:
		if len(z.proposed) > 0 {
			acks := z.proposed[0]
			z.proposed = z.proposed[1:]
			z.step(saga.Deleted{Now: z.now, Acks: acks})
		}
	case 6:
		if len(z.proposed) > 0 {
			acks := z.proposed[0]
			z.proposed = z.proposed[1:]
			z.step(saga.DeleteFailed{Now: z.now, Acks: acks, Reason: "refused"})
		}
	case 7:
		z.now = z.now.Add(time.Duration(x)<<8*time.Millisecond + time.Duration(y)*time.Millisecond)
		z.step(saga.Tick{Now: z.now})
	case 8:
		z.step(saga.News{Now: z.now, Target: protocol.PartitionID(x % 4)})
	case 9:
		z.step(saga.Deleted{Now: z.now, Acks: []saga.Ack{{Channel: c, UpTo: saga.Seq(x % 32)}}})
	case 10:
		z.now = z.now.Add(-time.Duration(y) * time.Millisecond)
		if x == 0 {
			z.step(saga.Stopped{Now: z.now})
			z.step(saga.Started{Now: z.now, Tables: z.tables(c, x, y)})
			z.proposed = nil
		}
	}
}

// tables is the table as it is, with a few rows more.
func (z *fuzzer) tables(c saga.Channel, x, y byte) []saga.Rows {
	out := []saga.Rows{rowsFrom(c, x, y, z.now)}
	for name, ch := range z.k.channels {
		t := saga.Rows{Channel: name}
		for seq, size := range ch.table {
			t.Rows = append(t.Rows, saga.Row{Seq: seq, Size: size, Since: z.now})
		}
		slices.SortFunc(t.Rows, func(a, b saga.Row) int { return int(a.Seq) - int(b.Seq) })
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b saga.Rows) int { return strings.Compare(a.Channel.String(), b.Channel.String()) })
	return out
}

func rowsFrom(c saga.Channel, x, y byte, now time.Time) saga.Rows {
	t := saga.Rows{Channel: c}
	for i := range y % 8 {
		t.Rows = append(t.Rows, saga.Row{Seq: saga.Seq(x%32) + saga.Seq(i), Size: int(y), Since: now})
	}
	return t
}

// attempt is the one under way, or an old one, another channel's or none.
func (z *fuzzer) attempt(c saga.Channel, back byte) uint64 {
	if back < 32 || len(z.attempts) == 0 {
		return z.k.channel(c).flight
	}
	i := len(z.attempts) - 1 - int(back-32)
	return z.attempts[max(i, 0)]
}

func fuzzResult(kind, x, y byte) saga.Result {
	seq := saga.Seq(x % 40)
	switch kind % 10 {
	case 0, 1:
		return saga.Acked{UpTo: seq, Refused: []saga.Refusal{{Seq: saga.Seq(y % 40), Reason: "a"}, {Seq: saga.Seq(y % 7), Reason: "b"}}}
	case 2:
		return saga.Gap{Next: seq}
	case 3:
		return saga.NeedBodies{}
	case 4:
		return saga.Busy{After: time.Duration(y) * time.Second}
	case 5:
		return saga.NotLeader{}
	case 6:
		return saga.Unreachable{Reason: "u"}
	case 7:
		return saga.Failed{Reason: "f"}
	case 8:
		return saga.NeedBase{}
	default:
		return saga.Based{UpTo: seq}
	}
}

// drain plays a good receiver and a good shell from here on.
func (z *fuzzer) drain() {
	z.todo = nil // what was under way stays without an answer
	for range 2000 {
		if z.empty() {
			return
		}
		todo, proposed := z.todo, z.proposed
		z.todo, z.proposed = nil, nil
		for _, acks := range proposed {
			z.step(saga.Deleted{Now: z.now, Acks: acks})
		}
		for _, a := range todo {
			switch a := a.(type) {
			case saga.Send:
				z.step(saga.Answer{Now: z.now, Channel: a.Channel, Attempt: a.Attempt, Result: saga.Acked{UpTo: a.To}})
			case saga.SendBase:
				z.step(saga.Answer{Now: z.now, Channel: a.Channel, Attempt: a.Attempt, Result: saga.Based{UpTo: a.First - 1}})
			}
		}
		if len(todo)+len(proposed) == 0 {
			if !z.k.wake.After(z.now) && !z.k.now.After(z.now) {
				z.t.Fatalf("nothing is under way and no tick was asked for: %+v", z.k.state.Status())
			}
			z.now = z.k.wake
			z.step(saga.Tick{Now: z.now})
		}
	}
	z.t.Fatalf("rows are left after 2000 rounds: %+v", z.k.state.Status())
}

func (z *fuzzer) empty() bool {
	for _, ch := range z.k.channels {
		if len(ch.table) > 0 {
			return false
		}
	}
	return true
}
