package linkfault

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// way is one direction on one port: what from sends to to over proto.
type way struct {
	from, to protocol.NodeID
	proto    byte
}

// rule is what happens to the bytes of one way.
type rule struct {
	drop  bool
	reset bool
	delay time.Duration
	loss  float64 // share of the packets that are lost
	rate  int     // bytes per second; 0: any
}

// held tells whether bytes may leave later than they are written.
func (r *rule) held() bool { return r.delay > 0 || r.loss > 0 || r.rate > 0 }

// ports are the names of the protocols in rules.
var ports = map[string]byte{"post": ProtoRemote, "raft": ProtoRaft, "gossip": ProtoGossip}

// table is one set of rules. It never changes; a newer one replaces it and
// closes replaced, which wakes whoever waits for the end of a rule.
type table struct {
	text     string
	rules    map[way]rule
	skews    map[protocol.NodeID]time.Duration
	replaced chan struct{}
}

func newTable(text string) (*table, error) {
	t := &table{text: text, rules: map[way]rule{}, skews: map[protocol.NodeID]time.Duration{}, replaced: make(chan struct{})}
	for i, line := range strings.Split(text, "\n") {
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("parse fault rules line %d %q: %w", i+1, line, err)
		}
	}
	return t, nil
}

// add takes in one line: nothing, a comment, "clock NODE OFFSET", or "verb from
// to [argument] [port]".
func (t *table) add(line string) error {
	line, _, _ = strings.Cut(line, "#")
	f := strings.Fields(line)
	if len(f) == 0 {
		return nil
	}
	if f[0] == "clock" {
		return t.addClock(f[1:])
	}
	if len(f) < 3 {
		return fmt.Errorf("want a verb and two node ids")
	}
	from, err := parseNode(f[1])
	if err != nil {
		return err
	}
	to, err := parseNode(f[2])
	if err != nil {
		return err
	}
	args, protos := f[3:], []byte{ProtoRemote, ProtoRaft, ProtoGossip}
	if n := len(args); n > 0 {
		if proto, ok := ports[args[n-1]]; ok {
			args, protos = args[:n-1], []byte{proto}
		}
	}
	for _, proto := range protos {
		w := way{from, to, proto}
		r := t.rules[w]
		if err := r.set(f[0], args); err != nil {
			return err
		}
		t.rules[w] = r
	}
	return nil
}

func (t *table) addClock(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("clock takes a node id and a duration")
	}
	n, err := parseNode(args[0])
	if err != nil {
		return err
	}
	if t.skews[n], err = time.ParseDuration(args[1]); err != nil {
		return fmt.Errorf("%q is no duration", args[1])
	}
	return nil
}

func (r *rule) set(verb string, args []string) (err error) {
	want := 0
	if verb == "delay" || verb == "loss" || verb == "slow" {
		want = 1
	}
	if len(args) != want {
		return fmt.Errorf("%s takes %d arguments after the nodes, and then the name of a port at most; got %d", verb, want, len(args))
	}
	switch verb {
	case "drop":
		r.drop = true
	case "reset":
		r.reset = true
	case "delay":
		if r.delay, err = time.ParseDuration(args[0]); err != nil || r.delay <= 0 {
			return fmt.Errorf("%q is no positive duration", args[0])
		}
	case "loss":
		percent, err := strconv.ParseFloat(strings.TrimSuffix(args[0], "%"), 64)
		if err != nil || !(percent > 0 && percent < 100) {
			return fmt.Errorf("%q is no share between 0%% and 100%%", args[0])
		}
		r.loss = percent / 100
	case "slow":
		if r.rate, err = strconv.Atoi(args[0]); err != nil || r.rate <= 0 {
			return fmt.Errorf("%q is no number of bytes per second", args[0])
		}
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
	return nil
}

func parseNode(s string) (protocol.NodeID, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no node id", s)
	}
	return protocol.NodeID(n), nil
}

func (t *table) get(from, to protocol.NodeID, proto byte) rule { return t.rules[way{from, to, proto}] }
