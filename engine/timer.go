package engine

import (
	"fmt"
	"time"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxTimers bounds the timers that one tick fires. If more are due the leader
// is asked to go on at once.
const maxTimers = 500

func (r *run) setTimer(el *elem, t *state.Timer) {
	r.tx.AddTimer(el.ElementInstance, *t)
	r.recordTimer(el, t, "CREATED")
	el.dirty = true
}

// timer works out when a timer fires for the first time.
func (r *run) timer(m *bpmn.Timer, el *elem) (state.Timer, *failure) {
	switch {
	case m.Duration != nil:
		return r.durationTimer(m.Duration, el)
	case m.Date != nil:
		return r.dateTimer(m.Date, el)
	}
	return r.cycleTimer(m.Cycle, el)
}

func (r *run) durationTimer(x *feel.Expression, el *elem) (t state.Timer, fail *failure) {
	v, fail := r.timerValue(x, el, "one of '[DURATION, PERIOD, STRING]'", feel.KindString, feel.KindDaysTimeDuration, feel.KindYearsMonthsDuration)
	if fail != nil {
		return t, fail
	}
	i, ok := bpmn.ParseInterval(temporalText(v))
	if !ok {
		return t, wrongTimer("Invalid duration format '%s' for expression '%s'.", v, x)
	}
	return state.Timer{Due: i.After(r.now), Repeats: 1}, nil
}

func (r *run) dateTimer(x *feel.Expression, el *elem) (t state.Timer, fail *failure) {
	v, fail := r.timerValue(x, el, "one of '[DATE_TIME, STRING]'", feel.KindString, feel.KindDateTime, feel.KindLocalDateTime)
	if fail != nil {
		return t, fail
	}
	if d, ok := v.(feel.DateTime); ok {
		return state.Timer{Due: bpmn.Bounded(d.Time(time.UTC)), Repeats: 1}, nil
	}
	at, ok := bpmn.ParseDateTime(temporalText(v))
	if !ok {
		return t, wrongTimer("Invalid date-time format '%s' for expression '%s'.", v, x)
	}
	return state.Timer{Due: bpmn.Bounded(at), Repeats: 1}, nil
}

func (r *run) cycleTimer(x *feel.Expression, el *elem) (t state.Timer, fail *failure) {
	v, fail := r.timerValue(x, el, "'STRING'", feel.KindString)
	if fail != nil {
		return t, fail
	}
	text := temporalText(v)
	c, problem := bpmn.ParseCycle(text)
	if problem != "" {
		return t, &failure{"EXTRACT_VALUE_ERROR", problem}
	}
	return state.Timer{Due: c.First(r.now), Repeats: c.Repeats, Cycle: text}, nil
}

// timerValue evaluates a timer's expression to one of some kinds.
func (r *run) timerValue(x *feel.Expression, el *elem, want string, kinds ...feel.Kind) (feel.Value, *failure) {
	res, err := r.value(x, el)
	if err != nil {
		return nil, &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	for _, k := range kinds {
		if res.Value != nil && res.Value.Kind() == k {
			return res.Value, nil
		}
	}
	text := fmt.Sprintf("Expected result of the expression '%s' to be %s, but was '%s'.", x.Source(), want, kindName(res.Value))
	return nil, &failure{"EXTRACT_VALUE_ERROR", text + warnings(res.Warnings)}
}

func wrongTimer(format string, v feel.Value, x *feel.Expression) *failure {
	return &failure{"EXTRACT_VALUE_ERROR", fmt.Sprintf(format, temporalText(v), x.Source())}
}

// temporalText is a text, or the one that stands for a duration.
func temporalText(v feel.Value) string {
	if s, ok := v.(feel.String); ok {
		return string(s)
	}
	b := feel.AppendJSON(nil, v)
	return string(b[1 : len(b)-1])
}

// fireTimers lets happen what is due, the earliest first.
func (r *run) fireTimers() {
	due := r.tx.DueTimers(r.now, maxTimers+1)
	for i, d := range due {
		if i == maxTimers || r.full || r.spent() {
			r.out.Effects.Continue = true
			return
		}
		if r.unit(Unit{kind: unitTimer, key: d.Timer, of: d.Element}) {
			r.fire(d)
		}
		r.steps() // what follows from it comes before the next timer
	}
}

// fire lets one timer happen, once: its row goes with what follows from it.
func (r *run) fire(d state.DueTimer) {
	if d.Element == 0 {
		r.fireStart(d)
		return
	}
	el := r.elem(d.Element)
	if el == nil {
		r.tx.Fail(fmt.Errorf("timer %d of element %d: %w", d.Timer, d.Element, protocol.ErrCorrupt))
		return
	}
	t := r.tx.DeleteTimer(el.ElementInstance, d.Timer)
	if t == nil {
		return // it ended by an earlier timer of the same tick
	}
	el.dirty = true
	r.recordTimer(el, t, "TRIGGERED")
	r.trigger(el, el.def.process.Element(t.Event), nil)
	if next, ok := r.again(*t); ok {
		r.setTimer(el, &next)
	}
}

// again is a timer's next time, counted from when it was due; ok is false if
// that was the last one.
func (r *run) again(t state.Timer) (next state.Timer, ok bool) {
	if t.Repeats != -1 && t.Repeats <= 1 {
		return t, false
	}
	c, problem := bpmn.ParseCycle(t.Cycle)
	if problem != "" {
		r.tx.Fail(fmt.Errorf("cycle %q of timer %d: %s", t.Cycle, t.Key, problem))
		return t, false
	}
	if t.Repeats > 0 {
		t.Repeats--
	}
	t.Due, t.Key = c.Next(t.Due, r.now), r.key()
	return t, true
}
