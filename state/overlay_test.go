package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// applier is a dumb FSM: it writes packed ops to the store.
type applier struct {
	kv     *memkv.KV
	prefix []byte
}

func (a *applier) apply(t *testing.T, entry []byte) {
	t.Helper()
	r := protocol.NewReader(entry)
	var ops []state.Op
	for r.Len() > 0 {
		o, err := protocol.ReadOp(r)
		if err != nil {
			t.Fatal(err)
		}
		key := append(slices.Clone(a.prefix), o.Key...)
		ops = append(ops, state.Op{Key: key, Value: o.Value, Delete: o.Kind == protocol.OpDelete})
	}
	if err := a.kv.Update(ops); err != nil {
		t.Fatal(err)
	}
}

func (a *applier) view() *state.View { return state.NewView(a.kv.Snapshot(), a.prefix) }

func newOverlay(t *testing.T) (*state.Overlay, *applier) {
	t.Helper()
	a := &applier{kv: memkv.New(), prefix: state.Prefix(1, 1)}
	o, err := state.NewOverlay(a.view(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return o, a
}

func TestOverlay_WhatIsMadeAndRemovedInOneEntryLeavesNothing(t *testing.T) {
	o, _ := newOverlay(t)
	tx := state.NewTx(o)
	tx.Insert(state.TableElement.Of(1), []byte("x"))
	tx.Commit()
	tx.Reset()
	tx.Delete(state.TableElement.Of(1))
	tx.Commit()
	if entry, wrote := o.Pack(nil); wrote {
		t.Errorf("the entry has %d bytes", len(entry))
	}
}

// A row removed by an entry under way and inserted again must not come back
// from below when it is removed once more.
func TestOverlay_RemovedInsertedRemoved(t *testing.T) {
	o, a := newOverlay(t)
	key := state.TableElement.Of(1)
	write := func(f func(*state.Tx)) []byte {
		tx := state.NewTx(o)
		f(tx)
		tx.Commit()
		entry, _ := o.Pack(nil)
		return entry
	}
	a.apply(t, write(func(tx *state.Tx) { tx.Put(key, []byte("old")) }))
	o.Rebase(a.view(), 1)
	first := write(func(tx *state.Tx) { tx.Delete(key) })
	tx := state.NewTx(o)
	tx.Insert(key, []byte("new"))
	tx.Commit()
	tx.Reset()
	tx.Delete(key)
	tx.Commit()
	tx.Reset()
	if got := tx.Get(key); got != nil {
		t.Errorf("the key is back: %q", got)
	}
	second, _ := o.Pack(nil)
	a.apply(t, first)
	a.apply(t, second)
	o.Rebase(a.view(), 3)
	if got := tx.Get(key); got != nil || o.Len() != 0 {
		t.Errorf("after all is applied: %q, %d keys over the base", got, o.Len())
	}
}

// TestOverlay_LikeAMap lets random commands, some of them thrown away, run over
// entries that are applied late, and compares every read with a plain map.
func TestOverlay_LikeAMap(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 7))
	o, a := newOverlay(t)
	model := map[string]string{}
	var flying [][]byte
	applied := uint64(0)
	tables := []state.Table{state.TableElement, state.TableActivatable}
	for step := range 3000 {
		switch rnd.IntN(10) {
		case 0:
			entry, _ := o.Pack(nil)
			flying = append(flying, entry)
		case 1:
			if len(flying) > 0 {
				a.apply(t, flying[0])
				flying = flying[1:]
				applied++
				o.Rebase(a.view(), applied)
			}
		default:
			command(t, rnd, o, tables, model)
		}
		if step%50 == 0 {
			compare(t, seed, step, o, model)
		}
	}
}

func command(t *testing.T, rnd *rand.Rand, o *state.Overlay, tables []state.Table, model map[string]string) {
	t.Helper()
	next := maps.Clone(model)
	tx := state.NewTx(o)
	for range rnd.IntN(6) {
		key := tables[rnd.IntN(2)].Of(uint64(rnd.IntN(40)))
		value := strings.Repeat(fmt.Sprint(rnd.IntN(10)), 1+rnd.IntN(5))
		if rnd.IntN(30) == 0 {
			value = strings.Repeat(value, state.MaxValue/2)
		}
		_, have := next[string(key)]
		switch {
		case rnd.IntN(3) == 0:
			tx.Delete(key)
			delete(next, string(key))
			continue
		case !have && rnd.IntN(2) == 0:
			tx.Insert(key, []byte(value))
		default:
			tx.Put(key, []byte(value))
		}
		next[string(key)] = value
	}
	if rnd.IntN(4) == 0 {
		return // thrown away
	}
	tx.Commit()
	clear(model)
	maps.Copy(model, next)
}

func compare(t *testing.T, seed uint64, step int, o *state.Overlay, model map[string]string) {
	t.Helper()
	tx := state.NewTx(o)
	for _, table := range []state.Table{state.TableElement, state.TableActivatable} {
		for i := range 40 {
			key := table.Of(uint64(i))
			want, have := model[string(key)]
			if got := tx.Get(key); (got != nil) != have || string(got) != want {
				t.Fatalf("seed %d step %d: key %x is %d bytes, want %d", seed, step, key, len(got), len(want))
			}
		}
	}
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if k[0] == byte(state.TableActivatable) {
			want = append(want, fmt.Sprintf("%x=%d", k, len(model[k])))
		}
	}
	tx.Scan([]byte{byte(state.TableActivatable)}, nil, func(k, v []byte) bool {
		got = append(got, fmt.Sprintf("%x=%d", k, len(v)))
		return true
	})
	if tx.Err() != nil || !slices.Equal(got, want) {
		t.Fatalf("seed %d step %d: err %v\n got %v\nwant %v", seed, step, tx.Err(), got, want)
	}
}

// A store takes no key of any size: long texts are cut, and still told apart.
func TestText_Long(t *testing.T) {
	long := strings.Repeat("\x00x", 100_000)
	seen := map[string]bool{}
	for _, s := range []string{long, long + "a", long + "b", long[:2000], long[:2001]} {
		b := state.AppendText(nil, s)
		if seen[string(b)] {
			t.Error("two texts have one key")
		}
		seen[string(b)] = true
		if _, _, ok := state.CutText(b); len(b) > 4000 || ok != (len(s) <= 2000) {
			t.Errorf("%d bytes of %d", len(b), len(s))
		}
	}
}

func TestText_OrderAndPrefix(t *testing.T) {
	texts := []string{"", "\x00", "\x00\x00", "\x00\x01", "a", "a\x00", "a\x00b", "aa", "b"}
	for i, s := range texts {
		b := state.AppendText(nil, s)
		back, rest, ok := state.CutText(append(b, "tail"...))
		if !ok || back != s || string(rest) != "tail" {
			t.Errorf("%q comes back as %q %q %v", s, back, rest, ok)
		}
		if i > 0 && string(state.AppendText(nil, texts[i-1])) >= string(b) {
			t.Errorf("%q does not stand before %q", texts[i-1], s)
		}
	}
}

// A key that one command makes, removes, makes and removes again is in no entry,
// though it stands twice in the command's order.
func TestTx_MadeAndRemovedTwice(t *testing.T) {
	o, _ := newOverlay(t)
	tx := state.NewTx(o)
	key := state.TableActivatable.Of(1)
	for range 2 {
		tx.Insert(key, []byte("x"))
		tx.Delete(key)
	}
	if !tx.Empty() || tx.Size() != 0 {
		t.Errorf("%d bytes are left", tx.Size())
	}
	tx.Insert(key, []byte("y"))
	tx.Commit()
	tx.Reset()
	if got := tx.Get(key); string(got) != "y" {
		t.Errorf("the key is %q", got)
	}
	tx.Delete(key)
	tx.Commit()
	if entry, wrote := o.Pack(nil); wrote {
		t.Errorf("the entry has %d bytes", len(entry))
	}
}

// A minted key is a write even if nothing else is left: it must not be minted again.
func TestTx_MintedIsNotEmpty(t *testing.T) {
	o, a := newOverlay(t)
	tx := state.NewTx(o)
	first := tx.NextKey(1)
	if tx.Empty() {
		t.Fatal("a command that minted a key says that it has written nothing")
	}
	tx.Commit()
	entry, _ := o.Pack(nil)
	a.apply(t, entry)
	o.Rebase(a.view(), 1)
	tx.Reset()
	if next := tx.NextKey(1); next != first+1 {
		t.Errorf("after %d comes %d", first, next)
	}
}

// The content of an entry in flight can be read like its definition.
func TestOverlay_BodiesInFlight(t *testing.T) {
	o, a := newOverlay(t)
	tx := state.NewTx(o)
	h := protocol.Hash{1}
	tx.AddBody(h, []byte("<x/>"))
	tx.Commit()
	tx.Reset()
	if got := tx.Body(h); string(got) != "<x/>" {
		t.Errorf("before it is packed: %q", got)
	}
	entry, _ := o.Pack(nil)
	if got := tx.Body(h); string(got) != "<x/>" {
		t.Errorf("in flight: %q", got)
	}
	a.apply(t, entry)
	if err := a.kv.Update([]state.Op{{Key: state.BodyKey(h, 0), Value: []byte("<x/>")}}); err != nil {
		t.Fatal(err)
	}
	o.Rebase(a.view(), 1)
	if got := tx.Body(h); string(got) != "<x/>" || tx.Err() != nil {
		t.Errorf("applied: %q, %v", got, tx.Err())
	}
}
