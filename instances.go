package grevy

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// InstanceInfo is an active process instance.
type InstanceInfo struct {
	Key           string    `json:"key"`
	Partition     int       `json:"partition"`
	ProcessID     string    `json:"processId"`
	Version       int32     `json:"version"`
	DefinitionKey string    `json:"definitionKey"`
	CallerKey     string    `json:"callerKey,omitempty"` // the call activity that has started it
	State         string    `json:"state"`               // the original's word: ACTIVATED, TERMINATING, …
	Since         time.Time `json:"since"`
	// At are the ids of elements where it stands, and Incidents counts those
	// there: as far as was looked, which is at 50 elements.
	At        []string `json:"at"`
	Incidents int64    `json:"incidents"`
}

// Instances are those of all partitions, oldest first.
type Instances struct {
	Listed
	Instances []InstanceInfo `json:"instances"`
}

// InstanceTree is a process instance with all that is active in it: at most 500
// element instances, and 100 in one scope.
type InstanceTree struct {
	InstanceInfo
	Root ElementInfo `json:"root"` // the process itself
}

// ElementInfo is an active element instance.
type ElementInfo struct {
	Key       string `json:"key"`
	ElementID string `json:"elementId"`
	State     string `json:"state"`
	// WaitsFor says in plain words what has to happen for it to go on; nothing if
	// that is what is inside. What may happen instead, or besides, begins with "or".
	WaitsFor      []string           `json:"waitsFor"`
	Variables     []VariableInfo     `json:"variables"`
	MoreVariables int64              `json:"moreVariables,omitempty"` // that are not listed
	Job           *JobInfo           `json:"job,omitempty"`
	Timers        []TimerInfo        `json:"timers,omitempty"`
	Subscriptions []SubscriptionInfo `json:"subscriptions,omitempty"`
	Incident      *IncidentInfo      `json:"incident,omitempty"`
	CalledKey     string             `json:"calledKey,omitempty"` // the instance that it has called
	Inside        []ElementInfo      `json:"inside,omitempty"`
	MoreInside    int64              `json:"moreInside,omitempty"` // that are not listed
}

// VariableInfo is a variable of a scope: its value, or the beginning of it.
type VariableInfo struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value,omitempty"`
	Begin string          `json:"begin,omitempty"` // of the JSON text, if it is longer than what was asked for
	Bytes int64           `json:"bytes"`
}

// JobInfo is the job of an element.
type JobInfo struct {
	Key     string `json:"key"`
	Type    string `json:"type"`
	State   string `json:"state"` // the original's word: ACTIVATABLE, ACTIVATED, FAILED, ERROR_THROWN
	Retries int32  `json:"retries"`
	Worker  string `json:"worker,omitempty"`
	// Until is when its worker's time is over, or its back-off.
	Until *time.Time `json:"until,omitempty"`
}

// TimerInfo is a timer that an element waits for.
type TimerInfo struct {
	Event   string    `json:"event"` // its own id, that of a boundary event or of a start event inside
	Due     time.Time `json:"due"`
	Repeats int64     `json:"repeats"` // this time included; -1: for ever
}

// SubscriptionInfo is a message or signal that an element waits for.
type SubscriptionInfo struct {
	Event          string `json:"event"`
	Kind           string `json:"kind"` // message, signal
	Name           string `json:"name"`
	CorrelationKey string `json:"correlationKey,omitempty"`
}

func instanceInfo(i *protocol.InstanceRow) InstanceInfo {
	return InstanceInfo{
		Key: i.Key.String(), Partition: int(i.Key.Partition()), ProcessID: i.ProcessID, Version: i.Version, DefinitionKey: i.Definition.String(),
		CallerKey: keyText(i.Caller), State: stateText(i.State), Since: time.UnixMilli(i.Started), At: append([]string{}, i.At...), Incidents: i.Incidents,
	}
}

// instanceTree makes a tree of the list, in which each scope stands before what
// is inside it.
func instanceTree(t *protocol.InstanceTree) *InstanceTree {
	inside := map[protocol.Key][]*protocol.ElementRow{}
	for i := range t.Elements {
		e := &t.Elements[i]
		inside[e.Scope] = append(inside[e.Scope], e)
	}
	var grow func(e *protocol.ElementRow) ElementInfo
	grow = func(e *protocol.ElementRow) ElementInfo {
		info := elementInfo(e, e.MoreInside > 0 || len(inside[e.Key]) > 0)
		for _, c := range inside[e.Key] {
			info.Inside = append(info.Inside, grow(c))
		}
		return info
	}
	tree := &InstanceTree{InstanceInfo: instanceInfo(&t.Instance), Root: ElementInfo{WaitsFor: []string{}, Variables: []VariableInfo{}}}
	if len(t.Elements) > 0 {
		tree.Root = grow(&t.Elements[0])
	}
	return tree
}

func elementInfo(e *protocol.ElementRow, scope bool) ElementInfo {
	info := ElementInfo{
		Key: e.Key.String(), ElementID: e.ElementID, State: stateText(e.State), WaitsFor: waitsFor(e, scope), Variables: []VariableInfo{},
		MoreVariables: e.MoreVars, MoreInside: e.MoreInside, CalledKey: keyText(e.Called), Job: jobInfo(e.Job),
	}
	for i := range e.Variables {
		info.Variables = append(info.Variables, variableInfo(&e.Variables[i]))
	}
	for _, t := range e.Timers {
		info.Timers = append(info.Timers, TimerInfo{Event: t.Event, Due: time.UnixMilli(t.Due), Repeats: t.Repeats})
	}
	for _, s := range e.Messages {
		kind := "message"
		if s.Signal {
			kind = "signal"
		}
		info.Subscriptions = append(info.Subscriptions, SubscriptionInfo{Event: s.Event, Kind: kind, Name: s.Name, CorrelationKey: s.CorrelationKey})
	}
	if e.Incident != nil {
		i := incidentInfo(e.Incident)
		info.Incident = &i
	}
	return info
}

func variableInfo(v *protocol.VariableRow) VariableInfo {
	info := VariableInfo{Name: v.Name, Bytes: v.Size}
	if int64(len(v.Value)) == v.Size && json.Valid(v.Value) {
		info.Value = v.Value
		return info
	}
	cut := v.Value
	for len(cut) > 0 { // not in the middle of a letter
		if r, size := utf8.DecodeLastRune(cut); r != utf8.RuneError || size != 1 {
			break
		}
		cut = cut[:len(cut)-1]
	}
	info.Begin = strings.ToValidUTF8(string(cut), "�")
	return info
}

func jobInfo(j *protocol.JobRow) *JobInfo {
	if j == nil {
		return nil
	}
	info := &JobInfo{Key: j.Key.String(), Type: j.Type, State: jobState(j.State), Retries: j.Retries, Worker: j.Worker}
	if j.Deadline > 0 {
		until := time.UnixMilli(j.Deadline)
		info.Until = &until
	}
	return info
}

func jobState(s uint8) string {
	if s > uint8(state.JobErrorThrown) {
		return ""
	}
	return state.JobState(s).String()
}
