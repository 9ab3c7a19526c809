package dmn

import (
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/feel"
)

// TestTime: the sum of the expressions is bounded by the clock, in the cells of
// a table too.
func TestTime(t *testing.T) {
	rule := `<rule><inputEntry><text>2</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>`
	m, err := Parse("r.dmn", []byte(`<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="g" name="n" namespace="x">
		<decision id="d" name="d"><decisionTable><input><inputExpression><text>1</text></inputExpression></input><output name="r"/>`+
		strings.Repeat(rule, 100)+`</decisionTable></decision></definitions>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step time.Duration
		want string
	}{
		{maxTime / 200, ""},
		{maxTime / 50, "Expected to evaluate decision 'd', but the evaluation takes too long"},
	} {
		at, asked := time.Unix(0, 0), 0
		clock := func() time.Time { asked++; at = at.Add(c.step); return at }
		e, err := m.evaluate("d", nil, nil, clock)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if e.Failure != nil {
			got = e.Failure.Message
		}
		if got != c.want || asked > 110 || c.want != "" && asked > 55 {
			t.Errorf("step %s: %q after %d", c.step, got, asked)
		}
	}
}

// TestSteps: what is bounded for each expression is bounded for all of them
// together, over the cells of a table and over required decisions.
func TestSteps(t *testing.T) {
	loop := `count(for i in 1..10000 return i)`
	rule := `<rule><inputEntry><text>` + loop + `</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>`
	m, err := Parse("r.dmn", []byte(`<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="g" name="n" namespace="x">
		<decision id="d" name="d"><decisionTable><input><inputExpression><text>1</text></inputExpression></input><output name="r"/>`+
		strings.Repeat(rule, 1000)+`</decisionTable></decision>
		<decision id="l" name="l"><list>`+strings.Repeat(`<literalExpression><text>`+loop+`</text></literalExpression>`, 1000)+`</list></decision></definitions>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"d", "l"} {
		e, err := m.evaluate(id, nil, nil, func() time.Time { return time.Unix(0, 0) })
		if err != nil {
			t.Fatal(err)
		}
		if e.Failure == nil || !strings.Contains(e.Failure.Message, "takes too") {
			t.Errorf("%s: %+v", id, e.Failure)
		}
	}
}

// TestWeigh: what is shared counts each time it would be written out.
func TestWeigh(t *testing.T) {
	var v feel.Value = feel.String(strings.Repeat("a", 640))
	for range 40 {
		v = feel.List{v, v}
	}
	e := &evaluation{room: maxRoom}
	if err := e.weighRecord(&Evaluated{Output: v}); err != errLarge {
		t.Errorf("got %v", err)
	}
	e = &evaluation{room: maxRoom}
	if err := e.weighRecord(&Evaluated{Output: feel.String(strings.Repeat("a", 640))}); err != nil || e.room != maxRoom-11 {
		t.Errorf("got %v and %d", err, e.room)
	}
}
