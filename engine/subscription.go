package engine

import (
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// openEvents makes an element instance wait for events: its own, those of its
// boundary events, those of the event sub-processes inside. Either all of them
// are waited for or none.
func (r *run) openEvents(el *elem, events []*bpmn.Element) *failure {
	var timers []state.Timer
	var subs []state.Subscription
	for _, event := range events {
		switch {
		case event.Timer != nil:
			t, fail := r.timer(event.Timer, el)
			if fail != nil {
				return fail
			}
			t.Event = event.ID
			timers = append(timers, t)
		case event.Message != nil, event.Signal != nil:
			s, fail := r.subscription(event, el)
			if fail != nil {
				return fail
			}
			subs = append(subs, s)
		}
	}
	for _, t := range timers {
		t.Key = r.key()
		r.setTimer(el, &t)
	}
	for _, s := range subs {
		r.subscribe(el, s)
	}
	return nil
}

// scopeEvents lets a scope that begins without a start event wait for its
// events.
func (r *run) scopeEvents(el *elem) *failure {
	return r.openEvents(el, slices.Concat(el.boundary(), el.eventStarts()))
}

// subscription works out the name, and a message's correlation key, for an
// event that is waited for.
func (r *run) subscription(event *bpmn.Element, el *elem) (s state.Subscription, fail *failure) {
	s.Event, s.Signal = event.ID, event.Signal != nil
	if s.Signal {
		s.Name, fail = r.text(event.Signal, el)
		return s, fail
	}
	if s.Name, fail = r.text(event.Message.Name, el); fail == nil {
		s.CorrelationKey, fail = r.correlationKey(event.Message.Key, el)
	}
	return s, fail
}

// correlationKey is a text, or a number as it is written.
func (r *run) correlationKey(x *feel.Expression, el *elem) (string, *failure) {
	res, err := r.value(x, el)
	if err != nil {
		return "", &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	switch v := res.Value.(type) {
	case feel.String:
		return string(v), nil
	case feel.Number:
		return v.String(), nil
	}
	text := fmt.Sprintf("Failed to extract the correlation key for '%s': The value must be either a string or a number, but was '%s'.", x.Source(), kindName(res.Value))
	return "", &failure{"EXTRACT_VALUE_ERROR", text + warnings(res.Warnings)}
}

// subscribe begins to wait for a message or signal.
func (r *run) subscribe(el *elem, s state.Subscription) {
	s.Key = r.key()
	el.More().Subscriptions, el.dirty = append(el.Extra.Subscriptions, s), true
	if s.Signal {
		r.tx.AddSignal(s.Name, s.Key, el.Key)
		r.recordWait(el, &s, "CREATED")
		return
	}
	sub := subscriptionOf(el, &s)
	r.recordSubscription(&sub, 0, nil, "CREATING")
	at := r.e.messagePartition(s.CorrelationKey)
	if at == r.e.Partition {
		r.recordSubscription(&sub, 0, nil, "CREATED")
	}
	r.tell(at, &protocol.OpenSubscription{Subscription: sub})
}

// subscriptionOf is what a message's partition is told of who waits.
func subscriptionOf(el *elem, s *state.Subscription) protocol.Subscription {
	return protocol.Subscription{
		Key: s.Key, Element: el.Key, Instance: el.Instance, ProcessID: el.def.ID, ElementID: el.Element,
		Name: s.Name, CorrelationKey: s.CorrelationKey, Interrupting: interruptedBy(el, s.Event),
	}
}

// interruptedBy tells whether an event that el waits for happens only once.
func interruptedBy(el *elem, event string) bool {
	m := el.def.process.Element(event)
	return m.Type != bpmn.BoundaryEvent && m.Type != bpmn.StartEvent || m.Interrupting
}

// closeEvents ends the wait for all events of an element instance.
func (r *run) closeEvents(el *elem) {
	if el.Extra == nil {
		return
	}
	for i := range el.Extra.Timers {
		r.recordTimer(el, &el.Extra.Timers[i], "CANCELED")
	}
	r.tx.DeleteTimers(el.ElementInstance)
	subs := el.Extra.Subscriptions
	el.Extra.Subscriptions = nil
	for i := range subs {
		r.unsubscribe(el, &subs[i])
	}
}

// closeEvent ends the wait for one message or signal.
func (r *run) closeEvent(el *elem, i int) {
	s := el.Extra.Subscriptions[i]
	el.Extra.Subscriptions = slices.Delete(slices.Clone(el.Extra.Subscriptions), i, i+1)
	el.dirty = true
	r.unsubscribe(el, &s)
}

func (r *run) unsubscribe(el *elem, s *state.Subscription) {
	if s.Signal {
		r.tx.DeleteSignal(s.Name, s.Key)
		r.recordWait(el, s, "DELETED")
		return
	}
	sub := subscriptionOf(el, s)
	r.recordSubscription(&sub, 0, nil, "DELETING")
	r.tell(r.e.messagePartition(s.CorrelationKey), &protocol.CloseSubscription{
		Element: el.Key, Subscription: s.Key, Name: s.Name, CorrelationKey: s.CorrelationKey,
	})
}

// correlate lets a message happen at an element instance, or refuses it if the
// instance does not wait for it any more.
func (r *run) correlate(c *protocol.Correlate) {
	answer := &protocol.Correlated{
		Element: c.Element, Subscription: c.Subscription, Message: c.Message,
		Name: c.Name, CorrelationKey: c.CorrelationKey, ProcessID: c.ProcessID,
	}
	el := r.elem(c.Element)
	i := -1
	if el != nil && !el.gone && el.Extra != nil {
		i = slices.IndexFunc(el.Extra.Subscriptions, func(s state.Subscription) bool { return s.Key == c.Subscription })
	}
	from := c.Message.Partition()
	if i < 0 {
		answer.Refused = true
		r.tell(from, answer)
		return
	}
	s := el.Extra.Subscriptions[i]
	once := interruptedBy(el, s.Event)
	if once { // the message's partition forgets it by itself
		el.Extra.Subscriptions = slices.Delete(slices.Clone(el.Extra.Subscriptions), i, i+1)
		el.dirty = true
	}
	sub := subscriptionOf(el, &s)
	r.recordSubscription(&sub, c.Message, c.Variables, "CORRELATED")
	if once || from != r.e.Partition {
		r.tell(from, answer)
	} else {
		r.last = append(r.last, step{op: stepMessages, key: el.Key})
	}
	r.trigger(el, el.def.process.Element(s.Event), r.eventVariables(c.Variables))
}

// nextMessages answers for messages of this partition that have happened at an
// element instance, which brings the next ones. It is done when all that follows
// from the last ones is done: they happen in their order, each with its own
// variables, and not all in one command.
func (r *run) nextMessages(el *elem) {
	if el.Extra == nil {
		return
	}
	for _, s := range slices.Clone(el.Extra.Subscriptions) {
		if s.Signal || r.e.messagePartition(s.CorrelationKey) != r.e.Partition {
			continue
		}
		if sub := r.tx.Subscriber(s.Name, s.CorrelationKey, el.Key, s.Key); sub != nil && sub.Message != 0 && r.tx.Later(s.Key) == nil {
			r.correlated(&protocol.Correlated{
				Element: el.Key, Subscription: s.Key, Message: sub.Message, Name: s.Name, CorrelationKey: s.CorrelationKey, ProcessID: sub.ProcessID,
			})
		}
	}
}

// eventVariables are the variables that came with a message or signal, which
// were checked when it was published.
func (r *run) eventVariables(doc []byte) (vars []state.Variable) {
	doc = r.tx.Document(doc)
	r.held += len(doc)
	members, err := jsondoc.Parse(doc)
	if err != nil {
		r.tx.Fail(fmt.Errorf("variables of an event: %w", err))
	}
	for i := range members {
		vars = append(vars, state.Variable{Name: members[i].Name, Value: members[i].Value})
	}
	return vars
}
