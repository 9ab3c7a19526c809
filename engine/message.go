package engine

import (
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// This file is the side of messages: on the partition of its correlation key, a
// message finds those who wait for it, or is kept until somebody does or its
// time is over. subscription.go is the side of those who wait.

// publish makes a message known. Of the instances of one process only one gets
// it, the one with the smallest element instance key (seen on Zeebe 8.6.0).
func (r *run) publish(c *protocol.PublishMessage) {
	r.known = c.DeploymentSeq
	if r.out.Behind = r.behind(); r.out.Behind {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	if c.MessageID != "" && r.tx.HasMessageID(c.Name, c.CorrelationKey, c.MessageID) {
		r.reject(protocol.Reject(protocol.AlreadyExists, c.Intent(), "Expected to publish a new message with id '%s', but a message with that id was already published", c.MessageID))
		return
	}
	m := &state.Message{
		Key: r.key(), Name: c.Name, CorrelationKey: c.CorrelationKey, ID: c.MessageID, Variables: jsondoc.Append(nil, members),
	}
	r.out.Reply = &protocol.KeyReply{Key: m.Key}
	had := map[string]bool{}
	found := r.whoWaits(m, had)
	starts := r.startsOf(m, had)
	m.Variables = r.share(m.Variables, 1+len(found)+len(starts))
	if c.TimeToLive > 0 {
		m.Deadline = r.now + min(c.TimeToLive, maxTimeToLive)
		r.tx.InsertMessage(m)
	}
	r.recordMessage(m, c.TimeToLive, "PUBLISHED")
	for _, s := range found {
		r.noteHad(m, s.ProcessID) // before the answer, which asks for the next message
		r.send(s, m)
	}
	for i := range starts {
		r.startByMessage(&starts[i], m)
	}
	if m.Deadline == 0 {
		r.recordMessage(m, c.TimeToLive, "EXPIRED")
	}
	r.tx.Release(m.Variables)
}

// noteHad notes that an instance of a process has a message, so that no other one
// gets it.
func (r *run) noteHad(m *state.Message, processID string) {
	if m.Deadline != 0 { // it is kept
		r.tx.SetCorrelated(m.Key, processID)
	}
}

// maxTimeToLive keeps deadlines from overflowing: some three hundred years.
const maxTimeToLive = 1e13

// whoWaits lists one instance of each process that waits for a message.
func (r *run) whoWaits(m *state.Message, had map[string]bool) (found []*state.Subscriber) {
	r.tx.Subscribers(m.Name, m.CorrelationKey, func(s *state.Subscriber) bool {
		if s.Message == 0 && !had[s.ProcessID] {
			had[s.ProcessID] = true
			found = append(found, s)
		}
		return true
	})
	return found
}

// send hands a message to a subscriber, who answers whether it was still wanted.
func (r *run) send(s *state.Subscriber, m *state.Message) {
	s.Message = m.Key
	r.noteHad(m, s.ProcessID)
	r.tx.PutSubscriber(s, false)
	r.recordSubscriber(s, m.Key, m.Variables, "CORRELATING")
	r.tell(s.Element.Partition(), &protocol.Correlate{
		Element: s.Element, Subscription: s.Key, Message: m.Key,
		Name: s.Name, CorrelationKey: s.CorrelationKey, ProcessID: s.ProcessID, Variables: m.Variables,
	})
}

// openSubscription notes who waits, and gives it a message that is kept. One that
// is known already has migrated: it is only called something else now.
func (r *run) openSubscription(s *protocol.Subscription) {
	if known := r.tx.Subscriber(s.Name, s.CorrelationKey, s.Element, s.Key); known != nil {
		known.Subscription = *s
		r.tx.PutSubscriber(known, false)
		r.recordSubscriber(known, 0, nil, "MIGRATED")
		return
	}
	sub := &state.Subscriber{Subscription: *s}
	r.tx.PutSubscriber(sub, true)
	r.recordSubscriber(sub, 0, nil, "CREATED")
	r.nextMessage(sub)
}

// nextMessage gives a subscriber the oldest message that no instance of its
// process has had.
func (r *run) nextMessage(s *state.Subscriber) {
	m := r.oldest(s.Name, s.CorrelationKey, s.ProcessID)
	if m == nil {
		return
	}
	r.send(s, m)
}

func (r *run) oldest(name, correlationKey, processID string) (found *state.Message) {
	r.tx.Messages(name, correlationKey, func(m *state.Message) bool {
		if m.Deadline > r.now && !r.tx.IsCorrelated(m.Key, processID) {
			found = m
		}
		return found == nil
	})
	return found
}

func (r *run) closeSubscription(c *protocol.CloseSubscription) {
	if s := r.tx.Subscriber(c.Name, c.CorrelationKey, c.Element, c.Subscription); s != nil {
		r.tx.DeleteSubscriber(s)
		r.recordSubscriber(s, 0, nil, "DELETED")
	}
}

// correlated goes on after a subscriber has answered. One that is not interrupted
// waits for the next message; a message that was refused goes to another
// instance of the process.
func (r *run) correlated(c *protocol.Correlated) {
	s := r.tx.Subscriber(c.Name, c.CorrelationKey, c.Element, c.Subscription)
	if c.Refused {
		if s != nil {
			r.tx.DeleteSubscriber(s)
			r.recordSubscriber(s, c.Message, nil, "REJECTED")
		}
		r.another(c)
		return
	}
	if s == nil || s.Message != c.Message {
		return
	}
	r.recordSubscriber(s, c.Message, nil, "CORRELATED")
	if s.Interrupting {
		r.tx.DeleteSubscriber(s)
		return
	}
	s.Message = 0
	r.tx.PutSubscriber(s, false)
	r.nextMessage(s)
}

// another gives a refused message to the next instance of the process that
// waits for it, if it is still kept.
func (r *run) another(c *protocol.Correlated) {
	m := r.tx.Message(c.Name, c.CorrelationKey, c.Message)
	if m == nil {
		return
	}
	next := r.nextSubscriber(protocol.Subscription{Name: c.Name, CorrelationKey: c.CorrelationKey, ProcessID: c.ProcessID}, 0, 0)
	if next == nil {
		r.tx.ClearCorrelated(m.Key, c.ProcessID)
		return
	}
	r.send(next, m)
}

// passedOver goes on when a message could not happen at a subscriber. The next
// instance of the process that waits for it gets it, if it is still kept, and the
// subscriber waits for another one. Only those behind it are asked, so that a message
// that can happen nowhere comes to an end; nobody else of the process gets it then.
func (r *run) passedOver(c *protocol.Correlate) {
	s := r.tx.Subscriber(c.Name, c.CorrelationKey, c.Element, c.Subscription)
	if s == nil || s.Message != c.Message {
		return
	}
	s.Message = 0
	r.tx.PutSubscriber(s, false)
	if m := r.tx.Message(c.Name, c.CorrelationKey, c.Message); m != nil {
		if next := r.nextSubscriber(s.Subscription, s.Element, s.Key); next != nil {
			r.send(next, m)
		}
	}
	r.nextMessage(s)
}

// passOver does the same in a step of its own, after another partition has refused to
// let a message happen: what it leads to must not keep the row from being deleted.
func (r *run) passOver(c *protocol.Correlate) {
	what := *c
	what.Variables = nil
	r.tx.AddLater(&state.Later{What: what})
	r.suspend([]step{{op: stepPassedOver, key: what.Subscription}})
}

// nextSubscriber finds the first instance of a process that waits for a message, and has
// none on its way, behind an element and its subscription.
func (r *run) nextSubscriber(of protocol.Subscription, element, key protocol.Key) (found *state.Subscriber) {
	r.tx.Subscribers(of.Name, of.CorrelationKey, func(s *state.Subscriber) bool {
		behind := s.Element > element || s.Element == element && s.Key > key
		if behind && s.ProcessID == of.ProcessID && s.Message == 0 {
			found = s
		}
		return found == nil
	})
	return found
}

// maxExpired bounds the messages that one tick forgets.
const maxExpired = 500

// expire forgets messages whose time is over. The original does this for all of
// them in one step each minute.
func (r *run) expire() {
	for i, d := range r.tx.Due(state.TableExpiry, r.now, maxExpired+1) {
		if r.spent() {
			return
		}
		if i == maxExpired || r.large() {
			r.out.Effects.Continue = true
			return
		}
		if r.unit(Unit{kind: unitExpiry, key: d.Key}) {
			r.forgetMessage(d)
		}
	}
}

// forgetMessage forgets one. Its document is read for that, which counts as if it
// were held.
func (r *run) forgetMessage(d state.Due) {
	if m := r.tx.DueMessage(d); m != nil {
		r.held += len(m.Variables)
		r.expired(m, m.Variables)
	}
}

// blameExpiry forgets a message that cannot be forgotten with all that is recorded of
// it: its variables are left out.
func (r *run) blameExpiry(key protocol.Key) {
	for _, d := range r.tx.Due(state.TableExpiry, r.now, maxExpired) {
		if d.Key != key {
			continue
		}
		if m := r.tx.DueMessage(d); m != nil {
			r.expired(m, nil)
		}
	}
}

func (r *run) expired(m *state.Message, recorded []byte) {
	shown := *m
	shown.Variables = recorded
	r.recordMessage(&shown, 0, "EXPIRED")
	r.tx.DeleteMessage(m)
}
