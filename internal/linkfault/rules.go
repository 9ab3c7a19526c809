package linkfault

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// pair is one direction: what from sends to to.
type pair struct{ from, to protocol.NodeID }

// rule is what happens to the bytes of one direction.
type rule struct {
	drop  bool
	reset bool
	delay time.Duration
}

// table is one set of rules. It never changes; a newer one replaces it and
// closes replaced, which wakes whoever waits for the end of a rule.
type table struct {
	text     string
	rules    map[pair]rule
	replaced chan struct{}
}

func newTable(text string) (*table, error) {
	t := &table{text: text, rules: map[pair]rule{}, replaced: make(chan struct{})}
	for i, line := range strings.Split(text, "\n") {
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("parse fault rules line %d %q: %w", i+1, line, err)
		}
	}
	return t, nil
}

// add takes in one line: nothing, a comment, or "verb from to [duration]".
func (t *table) add(line string) error {
	line, _, _ = strings.Cut(line, "#")
	f := strings.Fields(line)
	if len(f) == 0 {
		return nil
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
	p := pair{from, to}
	r := t.rules[p]
	if err := r.set(f[0], f[3:]); err != nil {
		return err
	}
	t.rules[p] = r
	return nil
}

func (r *rule) set(verb string, args []string) error {
	want := 0
	if verb == "delay" {
		want = 1
	}
	if len(args) != want {
		return fmt.Errorf("%s takes %d arguments after the nodes, got %d", verb, want, len(args))
	}
	switch verb {
	case "drop":
		r.drop = true
	case "reset":
		r.reset = true
	case "delay":
		d, err := time.ParseDuration(args[0])
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is no positive duration", args[0])
		}
		r.delay = d
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

func (t *table) get(from, to protocol.NodeID) rule { return t.rules[pair{from, to}] }
