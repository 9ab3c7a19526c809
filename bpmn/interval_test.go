package bpmn_test

import (
	"testing"
	"time"

	"github.com/grevy-io/grevy/bpmn"
)

const moment = "2024-01-31T10:00:00Z"

func at(t *testing.T, text string) int64 {
	t.Helper()
	v, ok := bpmn.ParseDateTime(text)
	if !ok {
		t.Fatalf("%s is no time", text)
	}
	return v.UnixMilli()
}

func TestInterval_After(t *testing.T) {
	for text, want := range map[string]string{
		"PT1S": "2024-01-31T10:00:01Z", "PT0.5S": "2024-01-31T10:00:00.5Z", "-PT1H": "2024-01-31T09:00:00Z",
		"PT-1H": "2024-01-31T09:00:00Z", "P1M": "2024-02-29T10:00:00Z", "P1Y1M": "2025-02-28T10:00:00Z",
		"P1W": "2024-02-07T10:00:00Z", "P1DT2H3M4.005S": "2024-02-01T12:03:04.005Z", "-P1D": "2024-01-30T10:00:00Z",
		"PT0.0001S": "2024-01-31T10:00:00.001Z", "PT1,25S": "2024-01-31T10:00:01.25Z",
		"P9999999999999999999999Y": "9999-12-31T00:00:00Z", "-P9999999999999999Y": "1970-01-01T00:00:00Z",
		"PT9999999999999H": "9999-12-31T00:00:00Z", "P8000Y": "9999-12-31T00:00:00Z", "P-100Y": "1970-01-01T00:00:00Z",
	} {
		i, ok := bpmn.ParseInterval(text)
		if got := i.After(at(t, moment)); !ok || got != at(t, want) {
			t.Errorf("%s after %s: got %s, want %s", text, moment, time.UnixMilli(got).UTC(), want)
		}
	}
	for _, text := range []string{"", "P", "PT", "1S", "soon", "PT1", "P1S", "PT1.5H"} {
		if i, ok := bpmn.ParseInterval(text); ok {
			t.Errorf("%q is taken as %+v", text, i)
		}
	}
}

func TestParseDateTime(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-31T12:00+02:00":                   moment,
		"2024-01-31T12:00:00.000+02:00":            moment,
		"2024-01-31T11:00:00+01:00[Europe/Berlin]": moment,
		"2024-01-31T10:00:30+00:00:30":             moment,
	} {
		if got := at(t, text); got != at(t, want) {
			t.Errorf("%s is %s", text, time.UnixMilli(got).UTC())
		}
	}
	for _, text := range []string{"2024-01-31T12:00", "2024-01-31", "2024-02-30T00:00Z", "soon", ""} {
		if v, ok := bpmn.ParseDateTime(text); ok {
			t.Errorf("%q is taken as %s", text, v)
		}
	}
}

func TestCycle(t *testing.T) {
	for text, want := range map[string][]string{
		"R2/PT1S":                      {"2024-01-31T10:00:01Z", "2024-01-31T10:00:02Z"},
		"R/P1M":                        {"2024-02-29T10:00:00Z", "2024-03-29T10:00:00Z"},
		"R3/2024-02-01T00:00:00Z/PT1H": {"2024-02-01T00:00:00Z", "2024-02-01T01:00:00Z"},
		"*/20 * * * * *":               {"2024-01-31T10:00:20Z", "2024-01-31T10:00:40Z", "2024-01-31T10:01:00Z"},
		"0 0 9-17 * * MON-FRI":         {"2024-01-31T11:00:00Z", "2024-01-31T12:00:00Z"},
		"0 30 8 29 FEB ?":              {"2024-02-29T08:30:00Z", "2028-02-29T08:30:00Z"},
		"0 0 0 * * 7":                  {"2024-02-04T00:00:00Z", "2024-02-11T00:00:00Z"},
		"@daily":                       {"2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z"},
		"15,45 59 23 31 12 *":          {"2024-12-31T23:59:15Z", "2024-12-31T23:59:45Z", "2025-12-31T23:59:15Z"},
		"0 0 0 30 2 *":                 {"9999-12-31T00:00:00Z"},
		"R/PT0S":                       {"2024-01-31T10:00:00.001Z", "2024-01-31T10:00:00.002Z"},
	} {
		c, problem := bpmn.ParseCycle(text)
		if problem != "" {
			t.Errorf("%s: %s", text, problem)
			continue
		}
		due := c.First(at(t, moment))
		for i, w := range want {
			if due != at(t, w) {
				t.Errorf("%s: time %d is %s, want %s", text, i+1, time.UnixMilli(due).UTC(), w)
			}
			due = c.Next(due, due)
		}
	}
	for text, want := range map[string]int64{"R/PT1S": -1, "R-1/PT1S": -1, "R5/PT1S": 5, "@hourly": -1} {
		if c, _ := bpmn.ParseCycle(text); c.Repeats != want {
			t.Errorf("%s: %d times, want %d", text, c.Repeats, want)
		}
	}
	for _, text := range []string{"", "R2", "Rx/PT1S", "R2/soon", "* * * * *", "0 0 0 L * *", "0 0 0 1-40 * *", "0 0 0 5-1 * *", "*/0 * * * * *"} {
		if _, problem := bpmn.ParseCycle(text); problem == "" {
			t.Errorf("%q is taken", text)
		}
	}
}
