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
	if r := tab.get(0, 2); r != (rule{drop: true}) {
		t.Errorf("0 to 2: %+v", r)
	}
	if r := tab.get(2, 0); r != (rule{}) {
		t.Errorf("2 to 0 has a rule it was not given: %+v", r)
	}
	if r := tab.get(1, 0); r != (rule{drop: true, delay: 100 * time.Millisecond}) {
		t.Errorf("two lines for 1 to 0: %+v", r)
	}
	if r := tab.get(2, 1); r != (rule{reset: true}) {
		t.Errorf("2 to 1: %+v", r)
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
	} {
		if _, err := newTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
