package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// recordMessage records what happens to a message.
func (r *run) recordMessage(m *state.Message, timeToLive int64, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().str("name", m.Name).str("correlationKey", m.CorrelationKey).str("messageId", m.ID).
		num("timeToLive", timeToLive).num("deadline", m.Deadline).json("variables", r.tx.Document(m.Variables))
	r.rec.event("MESSAGE", intent, m.Key)
}

// recordSubscriber records what the message's partition knows of who waits.
func (r *run) recordSubscriber(s *state.Subscriber, message protocol.Key, variables []byte, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().str("bpmnProcessId", s.ProcessID).key("processInstanceKey", s.Instance).key("elementInstanceKey", s.Element).
		key("messageKey", message).str("messageName", s.Name).str("correlationKey", s.CorrelationKey).
		bool("interrupting", s.Interrupting).json("variables", r.tx.Document(variables))
	r.rec.event("MESSAGE_SUBSCRIPTION", intent, s.Key)
}

// recordSubscription records what an element's own partition knows of the message
// that it waits for.
func (r *run) recordSubscription(s *protocol.Subscription, message protocol.Key, variables []byte, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().str("bpmnProcessId", s.ProcessID).key("processInstanceKey", s.Instance).key("elementInstanceKey", s.Element).
		str("elementId", s.ElementID).num("subscriptionPartitionId", int64(r.e.messagePartition(s.CorrelationKey))).
		key("messageKey", message).str("messageName", s.Name).str("correlationKey", s.CorrelationKey).
		bool("interrupting", s.Interrupting).json("variables", r.tx.Document(variables))
	r.rec.event("PROCESS_MESSAGE_SUBSCRIPTION", intent, s.Key)
}

// recordWait records what happens to a signal that an element waits for.
func (r *run) recordWait(el *elem, s *state.Subscription, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().str("signalName", s.Name).key("processDefinitionKey", el.Definition).str("bpmnProcessId", el.def.ID).
		str("catchEventId", s.Event).key("catchEventInstanceKey", el.Key)
	r.rec.event("SIGNAL_SUBSCRIPTION", intent, s.Key)
}

// recordSignal records a broadcast.
func (r *run) recordSignal(name string, variables []byte, key protocol.Key) {
	if r.rec == nil {
		return
	}
	r.rec.begin().str("signalName", name).json("variables", r.tx.Document(variables))
	r.rec.event("SIGNAL", "BROADCASTED", key)
}

// recordStart records what happens to a start event that a message or signal
// finds. m and instance are those of a correlation, else nil and 0.
func (r *run) recordStart(s *state.Start, m *protocol.Correlate, instance protocol.Key, intent string) {
	if r.rec == nil {
		return
	}
	o := r.rec.begin().key("processDefinitionKey", s.Definition).str("bpmnProcessId", s.ProcessID)
	if s.Kind == state.SignalStart {
		o.str("signalName", s.Name).str("catchEventId", s.Event).key("catchEventInstanceKey", 0)
		r.rec.event("SIGNAL_SUBSCRIPTION", intent, s.Key)
		return
	}
	var message protocol.Key
	var correlationKey string
	var variables []byte
	if m != nil {
		message, correlationKey, variables = m.Message, m.CorrelationKey, m.Variables
	}
	o.str("startEventId", s.Event).str("messageName", s.Name).key("messageKey", message).str("correlationKey", correlationKey).
		key("processInstanceKey", instance).json("variables", r.tx.Document(variables))
	r.rec.event("MESSAGE_START_EVENT_SUBSCRIPTION", intent, s.Key)
}

// recordStartTimer records what happens to a timer that starts instances.
func (r *run) recordStartTimer(definition protocol.Key, t *state.Timer, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().key("processDefinitionKey", definition).key("processInstanceKey", 0).key("elementInstanceKey", 0).
		str("targetElementId", t.Event).num("dueDate", t.Due).num("repetitions", t.Repeats)
	r.rec.event("TIMER", intent, t.Key)
}

// recordSettled records that a message's partition has done what it was told.
func (r *run) recordSettled(row protocol.Command) {
	switch c := row.(type) {
	case *protocol.OpenSubscription:
		r.recordSubscription(&c.Subscription, 0, nil, "CREATED")
	case *protocol.CloseSubscription:
		s := protocol.Subscription{Key: c.Subscription, Element: c.Element, Name: c.Name, CorrelationKey: c.CorrelationKey}
		r.recordSubscription(&s, 0, nil, "DELETED")
	}
}
