package grevy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// waitsFor says in plain words what has to happen for an element to go on. What
// may happen instead, or besides, begins with "or". scope: something is active
// inside it.
func waitsFor(e *protocol.ElementRow, scope bool) []string {
	w := append(must(e), ending(e)...)
	others := events(e)
	if len(w) == 0 && scope && len(others) > 0 {
		w = append(w, "what is inside to end")
	}
	for _, text := range others {
		if len(w) > 0 {
			text = "or " + text
		}
		w = append(w, text)
	}
	return w
}

// events are those at the element: its own, if it is one, those at its boundary
// or at the start of what is inside.
func events(e *protocol.ElementRow) (list []string) {
	for i := range e.Messages {
		list = append(list, subscriptionWait(e, &e.Messages[i]))
	}
	for i := range e.Timers {
		list = append(list, timerWait(e, &e.Timers[i]))
	}
	return list
}

// must is what has to happen, events aside.
func must(e *protocol.ElementRow) []string {
	w := []string{}
	if e.Incident != nil {
		w = append(w, incidentWait(e.Incident))
	} else if e.Job != nil {
		w = append(w, jobWait(e))
	}
	if e.UserTask != 0 {
		w = append(w, fmt.Sprintf("user task %d to be completed", e.UserTask))
	}
	if e.Called != 0 {
		w = append(w, fmt.Sprintf("instance %d, which it has called, to end", e.Called))
	}
	if e.Compensate {
		w = append(w, "what it compensates to be done")
	}
	for i := range e.Joins {
		w = append(w, fmt.Sprintf("the other flows into gateway %s; arrived: %s", e.Joins[i].ElementID, strings.Join(e.Joins[i].Flows, ", ")))
	}
	if len(e.Loop) == 4 {
		w = append(w, fmt.Sprintf("all of %d in its loop: %d begun, %d done", e.Loop[0], e.Loop[1], e.Loop[2]))
	}
	return w
}

func ending(e *protocol.ElementRow) []string {
	switch {
	case e.Follows != "":
		return []string{"what is inside to end, then event " + e.Follows + " goes on"}
	case e.Interrupts:
		return []string{"what is inside to end, then it is completed"}
	case e.State == uint8(state.Terminating):
		return []string{"what is inside to end, then it is gone"}
	}
	return nil
}

func incidentWait(i *protocol.IncidentRow) string {
	text := fmt.Sprintf("incident %d to be resolved: %s: %s", i.Key, i.Type, i.Message)
	if i.Job != 0 {
		text += fmt.Sprintf(" (first set the retries of job %d)", i.Job)
	}
	return text
}

func jobWait(e *protocol.ElementRow) string {
	j := e.Job
	what := fmt.Sprintf("job %d of type %s", j.Key, strconv.Quote(j.Type))
	if e.Listener > 0 {
		what += fmt.Sprintf(" (execution listener %d)", e.Listener)
	}
	left := fmt.Sprintf("%d retries left", j.Retries)
	if j.Retries == 1 {
		left = "1 retry left"
	}
	switch state.JobState(j.State) {
	case state.JobActivatable:
		return fmt.Sprintf("a worker to take %s; %s", what, left)
	case state.JobActivated:
		return fmt.Sprintf("worker %s, which has %s until %s; %s", strconv.Quote(j.Worker), what, clockText(j.Deadline), left)
	case state.JobFailed:
		if j.Deadline > 0 {
			return fmt.Sprintf("%s to be tried again at %s; %s", what, clockText(j.Deadline), left)
		}
	}
	return what + ", which is " + jobState(j.State)
}

func subscriptionWait(e *protocol.ElementRow, s *protocol.SubscriptionRow) string {
	text := "signal " + strconv.Quote(s.Name)
	if !s.Signal {
		text = fmt.Sprintf("message %s with key %s", strconv.Quote(s.Name), strconv.Quote(s.CorrelationKey))
	}
	return text + at(e, s.Event)
}

func timerWait(e *protocol.ElementRow, t *protocol.TimerRow) string {
	text := "the timer at " + clockText(t.Due) + at(e, t.Event)
	switch {
	case t.Repeats < 0:
		text += ", again and again"
	case t.Repeats > 1:
		text += fmt.Sprintf(", %d times", t.Repeats)
	}
	return text
}

// at names the event, unless it is the element itself.
func at(e *protocol.ElementRow, event string) string {
	if event == e.ElementID {
		return ""
	}
	return " (event " + event + ")"
}

func clockText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
