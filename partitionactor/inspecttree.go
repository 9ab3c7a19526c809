package partitionactor

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// tree gathers the active element instances of a process instance, each scope
// before what is inside it.
type tree struct {
	tx       *state.Tx
	list     []protocol.ElementRow
	maxValue int // bytes of one value
	values   int // bytes that are left for all of them
}

// add adds an element instance and what is inside it. It goes as deep as scopes
// are nested in a model.
func (t *tree) add(e *state.ElementInstance) {
	at := len(t.list)
	t.list = append(t.list, t.row(e))
	inside := int64(len(e.Children)) + e.Spilled
	for _, k := range t.tx.Children(e, maxInside) {
		if len(t.list) >= maxElements {
			break
		}
		if child := t.tx.Element(k); child != nil {
			t.add(child)
		}
		inside--
	}
	t.list[at].MoreInside = inside
}

func (t *tree) row(e *state.ElementInstance) protocol.ElementRow {
	row := protocol.ElementRow{Key: e.Key, Scope: e.Scope, ElementID: e.Element, State: uint8(e.State), Compensate: t.tx.IsCompensating(e.Key)}
	t.variables(e, &row)
	for i := range e.Joins {
		join := protocol.JoinRow{ElementID: e.Joins[i].Element}
		for _, f := range e.Joins[i].Flows {
			join.Flows = append(join.Flows, f.Flow)
		}
		row.Joins = append(row.Joins, join)
	}
	incident := e.Incident
	if j := t.tx.Job(e.Job); j != nil {
		row.Job = &protocol.JobRow{Key: j.Key, Type: j.Type, Worker: j.Worker, State: uint8(j.State), Retries: j.Retries, Deadline: j.Deadline}
		if j.Incident != 0 {
			incident = j.Incident
		}
	}
	if i := t.tx.Incident(incident); i != nil {
		found := incidentRow(t.tx, i)
		row.Incident = &found
	}
	if e.Extra != nil {
		extra(e.Extra, &row)
	}
	return row
}

func (t *tree) variables(e *state.ElementInstance, row *protocol.ElementRow) {
	t.tx.LoadVariables(e)
	for i := range e.Variables {
		v := &e.Variables[i]
		if i == maxShown {
			row.MoreVars = int64(len(e.Variables) - maxShown)
			return
		}
		n := min(len(v.Value), t.maxValue, t.values)
		t.values -= n
		row.Variables = append(row.Variables, protocol.VariableRow{Name: v.Name, Value: v.Value[:n], Size: int64(len(v.Value))})
	}
}

func extra(x *state.Extra, row *protocol.ElementRow) {
	for _, timer := range x.Timers {
		row.Timers = append(row.Timers, protocol.TimerRow{Event: timer.Event, Due: timer.Due, Repeats: timer.Repeats})
	}
	for _, s := range x.Subscriptions {
		row.Messages = append(row.Messages, protocol.SubscriptionRow{Event: s.Event, Name: s.Name, CorrelationKey: s.CorrelationKey, Signal: s.Signal})
	}
	if x.Pending != nil {
		row.Follows, row.Interrupts = x.Pending.Event, true
	}
	if x.Loop != nil {
		row.Loop = []int64{x.Loop.Total, x.Loop.Created, x.Loop.Done, x.Loop.Terminated}
	}
	row.Called, row.UserTask, row.Listener = x.Called, x.UserTask, x.Listener
}
