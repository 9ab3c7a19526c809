// Package statetest is the one suite that every state.KV must pass.
package statetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/grevy-io/grevy/state"
)

// Run checks what open returns against the contract of state.KV.
func Run(t *testing.T, open func(t *testing.T) state.KV) {
	t.Run("UpdateIsAtomicAndLastWins", func(t *testing.T) { lastWins(t, open(t)) })
	t.Run("SnapshotIsStable", func(t *testing.T) { stable(t, open(t)) })
	t.Run("DeletePrefixSparesOthers", func(t *testing.T) { deletePrefix(t, open(t)) })
	t.Run("LikeAMap", func(t *testing.T) { likeAMap(t, open(t)) })
}

func put(k, v string) state.Op { return state.Op{Key: []byte(k), Value: []byte(v)} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s state.Snapshot, k string) []byte {
	t.Helper()
	v, err := s.Get([]byte(k))
	must(t, err)
	return v
}

func lastWins(t *testing.T, kv state.KV) {
	must(t, kv.Update([]state.Op{put("a", "1"), put("a", "2"), put("b", ""), {Key: []byte("c"), Delete: true}}))
	s := kv.Snapshot()
	defer s.Close()
	if got := get(t, s, "a"); string(got) != "2" {
		t.Errorf("a = %q", got)
	}
	if got := get(t, s, "b"); got == nil || len(got) != 0 {
		t.Errorf("an empty value reads as %v", got)
	}
	if got := get(t, s, "c"); got != nil {
		t.Errorf("a missing key reads as %q", got)
	}
}

func stable(t *testing.T, kv state.KV) {
	must(t, kv.Update([]state.Op{put("a", "1")}))
	s := kv.Snapshot()
	defer s.Close()
	must(t, kv.Update([]state.Op{put("a", "2"), put("b", "3")}))
	if got := get(t, s, "a"); string(got) != "1" {
		t.Errorf("the snapshot changed to %q", got)
	}
	if got := get(t, s, "b"); got != nil {
		t.Errorf("the snapshot sees a later key %q", got)
	}
}

func deletePrefix(t *testing.T, kv state.KV) {
	var ops []state.Op
	for i := range 5000 {
		ops = append(ops, put(fmt.Sprintf("p%05d", i), "x"))
	}
	must(t, kv.Update(append(ops, put("o", "1"), put("q", "2"))))
	must(t, kv.DeletePrefix([]byte("p")))
	s := kv.Snapshot()
	defer s.Close()
	if n := len(walk(t, s, "", "")); n != 2 {
		t.Errorf("%d keys left instead of 2", n)
	}
}

func walk(t *testing.T, s state.Snapshot, prefix, from string) (pairs []string) {
	t.Helper()
	var start []byte
	if from != "" {
		start = []byte(from)
	}
	it := s.Iterate([]byte(prefix), start)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		v, err := it.Value()
		must(t, err)
		if len(v) != it.ValueSize() {
			t.Errorf("value size %d, value %d bytes", it.ValueSize(), len(v))
		}
		pairs = append(pairs, string(bytes.Clone(it.Key()))+"="+string(v))
	}
	return pairs
}

// likeAMap compares random work with a plain map.
func likeAMap(t *testing.T, kv state.KV) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	model := map[string]string{}
	for range 200 {
		var ops []state.Op
		for range rnd.IntN(20) {
			k := fmt.Sprintf("%c%d", 'a'+rune(rnd.IntN(3)), rnd.IntN(50))
			if rnd.IntN(3) == 0 {
				ops = append(ops, state.Op{Key: []byte(k), Delete: true})
				delete(model, k)
				continue
			}
			v := fmt.Sprint(rnd.Uint32())
			ops = append(ops, put(k, v))
			model[k] = v
		}
		must(t, kv.Update(ops))
	}
	s := kv.Snapshot()
	defer s.Close()
	var want []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if k[0] == 'b' && k >= "b2" {
			want = append(want, k+"="+model[k])
		}
	}
	if got := walk(t, s, "b", "b2"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("seed %d\n got %v\nwant %v", seed, got, want)
	}
}
