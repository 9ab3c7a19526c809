package grevy

import (
	"slices"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

func TestWaitsFor_InPlainWords(t *testing.T) {
	job := func(s state.JobState, deadline int64) *protocol.JobRow {
		return &protocol.JobRow{Key: 6, Type: "ship", Worker: "w", State: uint8(s), Retries: 1, Deadline: deadline}
	}
	for _, c := range []struct {
		name  string
		e     protocol.ElementRow
		scope bool
		want  []string
	}{
		{"a scope", protocol.ElementRow{}, true, nil},
		{"a worker", protocol.ElementRow{Job: job(state.JobActivatable, 0)}, false, []string{`a worker to take job 6 of type "ship"; 1 retry left`}},
		{"a listener", protocol.ElementRow{Job: job(state.JobActivatable, 0), Listener: 2}, false, []string{`a worker to take job 6 of type "ship" (execution listener 2); 1 retry left`}},
		{"its worker", protocol.ElementRow{Job: job(state.JobActivated, 1700000000000)}, false, []string{`worker "w", which has job 6 of type "ship" until 2023-11-14T22:13:20Z; 1 retry left`}},
		{"a back-off", protocol.ElementRow{Job: job(state.JobFailed, 1700000000000)}, false, []string{`job 6 of type "ship" to be tried again at 2023-11-14T22:13:20Z; 1 retry left`}},
		{"nobody", protocol.ElementRow{Job: job(state.JobErrorThrown, 0)}, false, []string{`job 6 of type "ship", which is ERROR_THROWN`}},
		{"somebody", protocol.ElementRow{Job: job(state.JobFailed, 0), Incident: &protocol.IncidentRow{Key: 7, Job: 6, Type: "JOB_NO_RETRIES", Message: "no"}}, false,
			[]string{"incident 7 to be resolved: JOB_NO_RETRIES: no (first set the retries of job 6)"}},
		{"an event-based gateway", protocol.ElementRow{ElementID: "g", Messages: []protocol.SubscriptionRow{{Event: "m", Name: "paid", CorrelationKey: "1"}, {Event: "s", Name: "stop", Signal: true}}}, false,
			[]string{`message "paid" with key "1" (event m)`, `or signal "stop" (event s)`}},
		{"a timer", protocol.ElementRow{ElementID: "t", Timers: []protocol.TimerRow{{Event: "t", Due: 1700000000000, Repeats: 1}}}, false, []string{"the timer at 2023-11-14T22:13:20Z"}},
		{"timers of a scope", protocol.ElementRow{ElementID: "s", Timers: []protocol.TimerRow{{Event: "a", Due: 1700000000000, Repeats: -1}, {Event: "b", Due: 1700000000000, Repeats: 3}}}, true,
			[]string{"what is inside to end", "or the timer at 2023-11-14T22:13:20Z (event a), again and again", "or the timer at 2023-11-14T22:13:20Z (event b), 3 times"}},
		{"a join", protocol.ElementRow{Joins: []protocol.JoinRow{{ElementID: "join", Flows: []string{"a", "b"}}}}, true, []string{"the other flows into gateway join; arrived: a, b"}},
		{"a call", protocol.ElementRow{Called: 8}, false, []string{"instance 8, which it has called, to end"}},
		{"a user", protocol.ElementRow{UserTask: 9}, false, []string{"user task 9 to be completed"}},
		{"a loop", protocol.ElementRow{Loop: []int64{4, 3, 2, 0}}, true, []string{"all of 4 in its loop: 3 begun, 2 done"}},
		{"compensation", protocol.ElementRow{Compensate: true}, false, []string{"what it compensates to be done"}},
		{"what follows", protocol.ElementRow{Follows: "b", Interrupts: true}, true, []string{"what is inside to end, then event b goes on"}},
		{"completion", protocol.ElementRow{Interrupts: true}, true, []string{"what is inside to end, then it is completed"}},
		{"its end", protocol.ElementRow{State: uint8(state.Terminating)}, true, []string{"what is inside to end, then it is gone"}},
	} {
		if got := waitsFor(&c.e, c.scope); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestVariableInfo_CutBetweenLetters(t *testing.T) {
	for _, c := range []struct {
		value string
		size  int64
		want  VariableInfo
	}{
		{`"ab"`, 4, VariableInfo{Name: "x", Value: []byte(`"ab"`), Bytes: 4}},
		{`"ab`, 9, VariableInfo{Name: "x", Begin: `"ab`, Bytes: 9}},
		{"\"a\xc3", 9, VariableInfo{Name: "x", Begin: `"a`, Bytes: 9}},
		{"", 9, VariableInfo{Name: "x", Bytes: 9}},
	} {
		got := variableInfo(&protocol.VariableRow{Name: "x", Value: []byte(c.value), Size: c.size})
		if string(got.Value) != string(c.want.Value) || got.Begin != c.want.Begin || got.Bytes != c.want.Bytes {
			t.Errorf("%q of %d: %+v", c.value, c.size, got)
		}
	}
}
