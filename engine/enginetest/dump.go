package enginetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxDumped bounds the lines of one dump.
const maxDumped = 24

// lines prints a list, cut off when it is long.
func (c *call) lines(what string, list []string) {
	if len(list) == 0 {
		c.print("no %s", what)
	}
	for i, s := range list {
		if i == maxDumped {
			c.print("… %d lines more", len(list)-i)
			return
		}
		c.print("%s", s)
	}
}

// tree lists the element instances, those inside a scope below it.
func (k *Contents) tree() (list []string) {
	below := map[protocol.Key][]protocol.Key{}
	for _, key := range k.Order[state.TableElement] {
		e := k.Elements[key]
		below[e.Scope] = append(below[e.Scope], key)
	}
	var walk func(scope protocol.Key, indent string)
	walk = func(scope protocol.Key, indent string) {
		for _, key := range below[scope] {
			list = append(list, indent+elementText(k.Elements[key]))
			walk(key, indent+"  ")
		}
	}
	walk(0, "")
	return list
}

var elementStates = [...]string{"?", "ACTIVATING", "ACTIVATED", "COMPLETING", "TERMINATING"}

func elementText(e *state.ElementInstance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s", e.Key, e.Element, elementStates[e.State])
	if e.Job != 0 {
		fmt.Fprintf(&b, " job=%d", e.Job)
	}
	if e.Incident != 0 {
		fmt.Fprintf(&b, " incident=%d", e.Incident)
	}
	vars := slices.Clone(e.Variables)
	slices.SortFunc(vars, func(a, b state.Variable) int { return cmp.Compare(a.Name, b.Name) })
	for _, v := range vars {
		fmt.Fprintf(&b, " %s=%s", v.Name, v.Value)
	}
	for _, j := range e.Joins {
		fmt.Fprintf(&b, " join %s:", j.Element)
		for _, f := range j.Flows {
			fmt.Fprintf(&b, " %s×%d", f.Flow, f.Count)
		}
	}
	if e.AwaitResult {
		b.WriteString(" awaited")
	}
	if e.Extra != nil {
		extraText(&b, e.Extra)
	}
	return b.String()
}

func compensationText(b *strings.Builder, c *state.Compensation) {
	for i := range c.Completed {
		fmt.Fprintf(b, " done %s", c.Completed[i].Activity)
	}
	if c.Rows > 0 {
		fmt.Fprintf(b, " rows %d", c.Rows)
	}
	if c.Throw != 0 {
		fmt.Fprintf(b, " for %d", c.Throw)
	}
}

func extraText(b *strings.Builder, x *state.Extra) {
	for _, t := range x.Timers {
		fmt.Fprintf(b, " timer %s×%d", t.Event, t.Repeats)
	}
	if c := x.Compensation; c != nil {
		compensationText(b, c)
	}
	if x.Listener != 0 {
		fmt.Fprintf(b, " listener %d", x.Listener)
	}
	if x.UserTask != 0 {
		fmt.Fprintf(b, " user task %d", x.UserTask)
	}
	if x.Called != 0 {
		fmt.Fprintf(b, " called %d", x.Called)
	}
	if x.Caller != 0 {
		fmt.Fprintf(b, " called by %d, %d deep", x.Caller, x.Depth)
	}
	if x.Loop != nil {
		fmt.Fprintf(b, " body %d of %d, %d done", x.Loop.Created, x.Loop.Total, x.Loop.Done)
	}
	if x.Loop != nil && x.Loop.Terminated > 0 {
		fmt.Fprintf(b, ", %d terminated", x.Loop.Terminated)
	}
	for _, s := range x.Subscriptions {
		fmt.Fprintf(b, " waits at %s for %s", s.Event, s.Name)
		if !s.Signal {
			fmt.Fprintf(b, " %q", s.CorrelationKey)
		}
	}
	if x.StartKey != "" {
		fmt.Fprintf(b, " started by key %s", x.StartKey)
	}
	if x.Pending != nil {
		fmt.Fprintf(b, " pending %s", x.Pending.Event)
	}
}

// timerLines lists the timers, the earliest first.
func (k *Contents) timerLines(now int64) (list []string) {
	for _, row := range k.Rows[state.TableTimer] {
		r := protocol.NewReader(k.tx.Get(row))
		of := r.Key()
		var timers []state.Timer
		if of != 0 {
			timers = k.Elements[of].Extra.Timers
		} else {
			of = r.Key()
			timers = k.tx.StartTimers(of)
		}
		for _, t := range timers {
			if t.Key != protocol.Key(number(row, 0)) {
				continue
			}
			due := fmt.Sprintf("%+d", t.Due-now)
			if t.Due == 0 {
				due = "at once"
			}
			list = append(list, fmt.Sprintf("%d %s of %d %s, %d times", t.Key, t.Event, of, due, t.Repeats))
		}
	}
	return list
}

func (k *Contents) jobLines(now int64) (list []string) {
	for _, key := range k.Order[state.TableJob] {
		j := k.Jobs[key]
		s := fmt.Sprintf("%d %s type=%s %s retries=%d", key, j.ElementID, j.Type, j.State, j.Retries)
		if j.Deadline != 0 {
			s += fmt.Sprintf(" until=%+d", j.Deadline-now)
		}
		if j.Worker != "" {
			s += " worker=" + j.Worker
		}
		if j.Incident != 0 {
			s += fmt.Sprintf(" incident=%d", j.Incident)
		}
		if j.Headers != nil {
			s += " headers=" + string(j.Headers)
		}
		list = append(list, s)
	}
	return list
}

func (k *Contents) incidentLines() (list []string) {
	for _, key := range k.Order[state.TableIncident] {
		i := k.Incidents[key]
		s := fmt.Sprintf("%d %s %s: %s", key, k.Elements[i.Element].Element, i.Type, i.Message)
		if i.Job != 0 {
			s += fmt.Sprintf(" (job %d)", i.Job)
		}
		list = append(list, s)
	}
	return list
}

func (k *Contents) definitionLines() (list []string) {
	for _, key := range k.Order[state.TableDefinition] {
		d := k.Definitions[key]
		s := fmt.Sprintf("%d %s %s", key, definitionText(d), d.ResourceName)
		if k.tx.Newest(d.Kind, d.ID) == key {
			s += " latest"
		}
		list = append(list, s)
	}
	return list
}

func (k *Contents) laneLines() (list []string) {
	for i := range k.Outbox {
		list = append(list, fmt.Sprintf("to %d: %s", k.Outbox[i].Target, rowText(&k.Outbox[i])))
	}
	return list
}

func (k *Contents) inboxLines() (list []string) {
	for _, source := range slices.Sorted(maps.Keys(k.Inbox)) {
		list = append(list, fmt.Sprintf("from %d: epoch %d seq %d", source, k.Inbox[source].Epoch, k.Inbox[source].Seq))
	}
	for _, way := range slices.SortedFunc(maps.Keys(k.Ways), Way.compare) {
		list = append(list, fmt.Sprintf("from %d lane %d: epoch %d seq %d", way.Source, way.Lane, k.Ways[way].Epoch, k.Ways[way].Seq))
	}
	return list
}

func (k *Contents) refusedLines() (list []string) {
	for _, row := range k.Rows[state.TableRefused] {
		list = append(list, fmt.Sprintf("deployment %d by %d: %s", number(row, 1), number(row, 0), k.tx.Get(row)))
	}
	return list
}

var tableNames = map[state.Table]string{
	state.TableMeta: "meta", state.TableDefinition: "definition", state.TableVersion: "version", state.TableLatest: "latest",
	state.TableDeployment: "deployment", state.TableRefused: "refused", state.TableContentRef: "content",
	state.TableTagged: "tagged", state.TableMember: "member", state.TableDraining: "draining",
	state.TableElement: "element", state.TableJob: "job", state.TableActivatable: "activatable", state.TableDeadline: "deadline",
	state.TableBackOff: "back-off", state.TableIncident: "incident", state.TableChild: "child", state.TableVariables: "variables",
	state.TableTimer: "timer", state.TableLoop: "loop", state.TableOutbox: "outbox", state.TableInbox: "inbox", state.TableLane: "lane", state.TableContinue: "continue",
	state.TableSubscriber: "subscriber", state.TableMessage: "message", state.TableExpiry: "expiry", state.TableMessageID: "message id",
	state.TableCorrelated: "correlated", state.TableKeyLock: "key lock", state.TableStart: "start", state.TableStartTimer: "start timer",
	state.TableSignal: "signal", state.TableBroadcast: "broadcast", state.TableParts: "parts",
	state.TableShared: "shared", state.TableHolders: "holders", state.TableLater: "later",
}

// keyLines counts the keys of each table.
func (k *Contents) keyLines() []string {
	var list []string
	if len(k.Rows) == 0 {
		return nil
	}
	for _, t := range slices.Sorted(maps.Keys(k.Rows)) {
		list = append(list, fmt.Sprintf("%s %d", tableNames[t], len(k.Rows[t])))
	}
	return []string{strings.Join(list, ", ")}
}
