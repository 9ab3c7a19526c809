package engine_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// lives are what the records of a partition tell of element instances, jobs and
// incidents: each goes through its intents in a legal order, as the original's
// do, and what is not over by its records is what stands in the state.
type lives struct {
	now map[life]string // what was recorded last
}

type life struct {
	kind string // value type
	key  protocol.Key
}

// legal says what may follow what, by value type; "" is the beginning. What may
// come at any time and changes nothing stands in passing.
var legal = map[string]map[string][]string{
	"PROCESS_INSTANCE": {
		"":                    {"ELEMENT_ACTIVATING"},
		"ELEMENT_ACTIVATING":  {"ELEMENT_ACTIVATED", "ELEMENT_TERMINATING"},
		"ELEMENT_ACTIVATED":   {"ELEMENT_COMPLETING", "ELEMENT_TERMINATING"},
		"ELEMENT_COMPLETING":  {"ELEMENT_COMPLETED", "ELEMENT_TERMINATING", "ELEMENT_COMPLETING"}, // again: begunInside
		"ELEMENT_TERMINATING": {"ELEMENT_TERMINATED"},
	},
	"JOB": {
		"":        {"CREATED"},
		"CREATED": {"COMPLETED", "CANCELED", "ERROR_THROWN"},
		// Uncaught: it stands with an incident.
		"ERROR_THROWN": {"COMPLETED", "CANCELED", "ERROR_THROWN"},
	},
	"INCIDENT": {
		"":        {"CREATED"},
		"CREATED": {"RESOLVED"},
	},
}

var passing = map[string][]string{
	"PROCESS_INSTANCE": {"ELEMENT_MIGRATED"},
	"JOB":              {"FAILED", "TIMED_OUT", "RETRIES_UPDATED", "TIMEOUT_UPDATED", "RECURRED_AFTER_BACKOFF", "YIELDED", "MIGRATED"},
	"INCIDENT":         {"MIGRATED"},
}

func newLives() *lives { return &lives{now: map[life]string{}} }

// entry follows the records of an entry that is applied.
func (l *lives) entry(e *enginetest.Entry) error {
	list, err := e.Recorded()
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if legal[r.ValueType] == nil || r.Type != protocol.RecordEvent || r.Intent == "SEQUENCE_FLOW_TAKEN" {
			continue
		}
		id := life{r.ValueType, r.Key}
		was := l.now[id]
		switch {
		case slices.Contains(legal[r.ValueType][was], r.Intent):
			l.now[id] = r.Intent
		case !slices.Contains(passing[r.ValueType], r.Intent) || was == "" || legal[r.ValueType][was] == nil:
			return fmt.Errorf("%s %d: %s after %q: %s", r.ValueType, r.Key, r.Intent, was, r.Value)
		}
	}
	return nil
}

var recordedState = map[string]state.ElementState{
	"ELEMENT_ACTIVATING": state.Activating, "ELEMENT_ACTIVATED": state.Activated, "ELEMENT_COMPLETING": state.Completing, "ELEMENT_TERMINATING": state.Terminating,
}

// check compares with what is committed.
func (l *lives) check(c *enginetest.Contents) (wrong []string) {
	for id, intent := range l.now {
		if legal[id.kind][intent] == nil {
			continue // over
		}
		there := intent == "ERROR_THROWN"
		switch id.kind {
		case "PROCESS_INSTANCE":
			e := c.Elements[id.key]
			if there = e != nil; there && recordedState[intent] != e.State && !begunInside(e, intent) {
				wrong = append(wrong, fmt.Sprintf("%d %s is %v after %s", id.key, e.Element, e.State, intent))
			}
		case "JOB":
			there = there || c.Jobs[id.key] != nil
		case "INCIDENT":
			there = c.Incidents[id.key] != nil
		}
		if !there {
			wrong = append(wrong, fmt.Sprintf("%s %d is gone after %s", id.kind, id.key, intent))
		}
	}
	return append(wrong, slices.Concat(unrecorded(l, "PROCESS_INSTANCE", c.Elements), unrecorded(l, "JOB", c.Jobs), unrecorded(l, "INCIDENT", c.Incidents))...)
}

// begunInside: a modification has begun something in what was held up completing by
// a listener, so it completes once more (listener.go:afterListener).
func begunInside(e *state.ElementInstance, intent string) bool {
	return intent == "ELEMENT_COMPLETING" && e.State == state.Activated
}

// unrecorded finds what is there and is over, or never was, by the records. An
// element instance may wait for the step that begins it: nothing was recorded.
func unrecorded[V any](l *lives, kind string, there map[protocol.Key]V) (wrong []string) {
	for _, key := range slices.Sorted(maps.Keys(there)) {
		e, isElement := any(there[key]).(*state.ElementInstance)
		waits := isElement && e.State == state.Activating
		if intent := l.now[life{kind, key}]; legal[kind][intent] == nil || intent == "" && !waits {
			wrong = append(wrong, fmt.Sprintf("%s %d is there after %q: %+v", kind, key, intent, there[key]))
		}
	}
	return wrong
}
