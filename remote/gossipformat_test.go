package remote

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

func TestMetaRoundTrip(t *testing.T) {
	m := meta{node: 2, started: time.Unix(0, 1234567890123), ports: Ports{26500, 26501, 26502, 26503, 9600},
		cluster: [16]byte{1, 2}, host: "node-2.example", raftID: "2-abc", version: "0.1.0"}
	b := m.append(nil)
	if len(b) > 200 {
		t.Errorf("%d bytes of 512", len(b))
	}
	got, err := parseMeta(append(b, "from a newer node"...))
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := range b {
		if _, err := parseMeta(b[:i]); err == nil {
			t.Errorf("%d bytes of %d were taken", i, len(b))
		}
	}
	b[0] = 9
	if _, err := parseMeta(b); err == nil || !strings.Contains(err.Error(), "version 9") {
		t.Errorf("another version: %v", err)
	}
}

func TestNewsRoundTrip(t *testing.T) {
	x := map[protocol.PartitionID]entry{
		1: {counter: 4, info: PartitionInfo{Partition: 1, Role: Leader, Term: 9, Healthy: true}},
		2: {counter: 1 << 40, gone: true, info: PartitionInfo{Partition: 2}},
	}
	y := map[protocol.PartitionID]entry{3: {counter: 1, info: PartitionInfo{Partition: 3, Reason: "disk full", Replica: 300}}}
	b := appendNews(appendNews([]byte{newsVersion}, "0-x", x), "1-y", y)
	got, err := parseNews(b)
	if err != nil || !reflect.DeepEqual(got, map[string]map[protocol.PartitionID]entry{"0-x": x, "1-y": y}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := parseNews([]byte{7}); err == nil {
		t.Errorf("another version: %v", got)
	}
}

func FuzzNews(f *testing.F) {
	f.Add(appendNews([]byte{newsVersion}, "0-x", map[protocol.PartitionID]entry{1: {counter: 4}}))
	f.Add(meta{host: "h"}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMeta(b); err == nil {
			again, err := parseMeta(m.append(nil))
			if err != nil || !reflect.DeepEqual(again, m) {
				t.Errorf("%+v became %+v, %v", m, again, err)
			}
		}
		all, err := parseNews(b)
		if err != nil {
			return
		}
		out := []byte{newsVersion}
		for name, parts := range all {
			out = appendNews(out, name, parts)
		}
		if again, err := parseNews(out); err != nil || !reflect.DeepEqual(again, all) {
			t.Errorf("%v became %v, %v", all, again, err)
		}
	})
}

func TestNodeOf(t *testing.T) {
	for name, want := range map[string]protocol.NodeID{"3-00ab-ff": 3, "": -1, "x-1": -1, "7": -1, "99999999999-1": -1} {
		if got := nodeOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

func testMembers() *Members {
	m := &Members{cfg: MembersConfig{NodeID: 0}, name: "0-self", known: map[string]*instance{}, news: newWatchers()}
	m.known[m.name] = &instance{name: m.name, meta: &meta{}, alive: true, parts: map[protocol.PartitionID]entry{}}
	return m
}

func (m *Members) testAdd(name string, started int64, alive bool) *instance {
	i := &instance{name: name, meta: &meta{node: nodeOf(name), started: time.Unix(started, 0)}, alive: alive,
		parts: map[protocol.PartitionID]entry{}}
	m.known[name] = i
	return i
}

func TestOlderNewsNeverReplacesNewer(t *testing.T) {
	m := testMembers()
	m.testAdd("1-a", 10, true)
	say := func(process string, counter, term uint64) {
		e := entry{counter: counter, info: PartitionInfo{Partition: 1, Role: Leader, Term: term}}
		m.takeNews(appendNews([]byte{newsVersion}, process, map[protocol.PartitionID]entry{1: e}), false)
	}
	term := func() uint64 { _, term, _ := m.Leader(1); return term }
	say("1-a", 5, 50)
	say("1-a", 4, 40)
	if term() != 50 {
		t.Errorf("counter 4 replaced 5: term %d", term())
	}
	say("1-b", 1, 7) // a younger process is heard of before it is seen
	if term() != 50 {
		t.Errorf("an unseen process counts: term %d", term())
	}
	m.testAdd("1-b", 20, true).parts = m.known["1-b"].parts
	say("1-b", 1, 7)
	if term() != 7 {
		t.Errorf("the younger process does not count: term %d", term())
	}
	say("1-a", 99, 99)
	if term() != 7 {
		t.Errorf("the older process counts again: term %d", term())
	}
	say("0-self", 1, 100)
	if term() != 7 {
		t.Error("others speak for this node")
	}
}

func TestHighestTermLeadsEvenIfDead(t *testing.T) {
	m := testMembers()
	lead := func(i *instance, term uint64) {
		i.parts[1] = entry{counter: 1, info: PartitionInfo{Partition: 1, Role: Leader, Term: term}}
	}
	lead(m.testAdd("1-a", 1, true), 4)
	dead := m.testAdd("2-a", 1, false)
	lead(dead, 5)
	if n, _, ok := m.Leader(1); ok {
		t.Errorf("node %d leads in an old term because the new leader is dead", n)
	}
	dead.alive = true
	if n, term, ok := m.Leader(1); !ok || n != 2 || term != 5 {
		t.Errorf("got %d, %d, %v", n, term, ok)
	}
}

func TestSweepKeepsWhoSpeaks(t *testing.T) {
	m := testMembers()
	m.testAdd("1-old", 1, false)
	m.testAdd("1-new", 2, true)
	m.testAdd("2-dead", 1, false)
	m.testAdd("0-past", 1, false)
	unseen := m.testAdd("3-unseen", 1, false)
	unseen.meta, unseen.seen = nil, time.Now()
	m.sweepLocked()
	var names []string
	for _, n := range []string{"0-self", "0-past", "1-old", "1-new", "2-dead", "3-unseen"} {
		if m.known[n] != nil {
			names = append(names, n)
		}
	}
	if got := strings.Join(names, " "); got != "0-self 1-new 2-dead 3-unseen" {
		t.Errorf("kept: %s", got)
	}
	unseen.seen = time.Now().Add(-2 * time.Minute)
	m.sweepLocked()
	if m.known["3-unseen"] != nil {
		t.Error("a process nobody ever saw is kept for ever")
	}
}
