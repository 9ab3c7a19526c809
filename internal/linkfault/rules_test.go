package linkfault

import (
	"strings"
	"testing"
	"time"
)

func TestRulesParse(t *testing.T) {
	tab, err := newTable("# all of it\n\n drop 0 2 # one way\ndelay 1 0 100ms\nreset 2 1\ndrop 1 0\n")
	if err != nil {
		t.Fatal(err)
	}
	if r := tab.get(0, 2, ProtoRaft); r != (rule{drop: true}) {
		t.Errorf("0 to 2: %+v", r)
	}
	if r := tab.get(2, 0, ProtoRaft); r != (rule{}) {
		t.Errorf("2 to 0 has a rule it was not given: %+v", r)
	}
	if r := tab.get(1, 0, ProtoRaft); r != (rule{drop: true, delay: 100 * time.Millisecond}) {
		t.Errorf("two lines for 1 to 0: %+v", r)
	}
	if r := tab.get(2, 1, ProtoRaft); r != (rule{reset: true}) {
		t.Errorf("2 to 1: %+v", r)
	}
}

// A rule with the name of a port is for that port alone, and goes together with
// those that are for all of them.
func TestRulesForOnePort(t *testing.T) {
	tab, err := newTable("drop 0 1 raft\ndelay 0 1 5ms post\nloss 0 1 10%\nslow 0 1 1000 gossip\nclock 0 1h\nclock 2 -90s")
	if err != nil {
		t.Fatal(err)
	}
	for proto, want := range map[byte]rule{
		ProtoRaft:   {drop: true, loss: 0.1},
		ProtoRemote: {delay: 5 * time.Millisecond, loss: 0.1},
		ProtoGossip: {loss: 0.1, rate: 1000},
	} {
		if got := tab.get(0, 1, proto); got != want {
			t.Errorf("port %d: %+v, want %+v", proto, got, want)
		}
	}
	if tab.skews[0] != time.Hour || tab.skews[1] != 0 || tab.skews[2] != -90*time.Second {
		t.Errorf("clocks: %v", tab.skews)
	}
}

func TestRulesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"drop 0":             "two node ids",
		"drop 0 x":           `"x" is no node id`,
		"drop -1 2":          `"-1" is no node id`,
		"lose 0 1":           "unknown verb",
		"drop 0 1 2":         "takes 0 arguments",
		"delay 0 1":          "takes 1 arguments",
		"delay 0 1 -5ms":     "no positive duration",
		"drop 0 1\ndelay 0 ": "line 2",
		"drop 0 1 http":      "takes 0 arguments",
		"loss 0 1 100%":      "no share",
		"loss 0 1 0":         "no share",
		"loss 0 1 NaN":       "no share",
		"slow 0 1 0":         "bytes per second",
		"clock 0":            "a node id and a duration",
		"clock x 1h":         "no node id",
		"clock 0 soon":       "no duration",
	} {
		if _, err := newTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
