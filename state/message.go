package state

import (
	"cmp"
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// Subscriber is somebody who waits for a message, as the message's partition
// knows it.
type Subscriber struct {
	protocol.Subscription
	// Message is the one that is on its way to it, 0 if none is.
	Message protocol.Key
}

func nameKey(table Table, name, correlationKey string, v ...uint64) []byte {
	b := AppendText(AppendText(table.Key(len(name)+len(correlationKey)+4+8*len(v)), name), correlationKey)
	for _, n := range v {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// PutSubscriber writes one; fresh: it is new.
func (t *Tx) PutSubscriber(s *Subscriber, fresh bool) {
	stored := protocol.AppendInt(protocol.AppendSubscription(row(jobSize), &s.Subscription), int64(s.Message))
	t.set(nameKey(TableSubscriber, s.Name, s.CorrelationKey, uint64(s.Element), uint64(s.Key)), write{stored: stored, fresh: fresh})
}

// Subscriber reads one, nil if there is none.
func (t *Tx) Subscriber(name, correlationKey string, element, key protocol.Key) *Subscriber {
	b := t.Get(nameKey(TableSubscriber, name, correlationKey, uint64(element), uint64(key)))
	if b == nil {
		return nil
	}
	return t.readSubscriber(b)
}

func (t *Tx) readSubscriber(b []byte) *Subscriber {
	r := protocol.NewReader(b)
	s := &Subscriber{Subscription: protocol.ReadSubscription(r), Message: r.Key()}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return s
}

// DeleteSubscriber removes one.
func (t *Tx) DeleteSubscriber(s *Subscriber) {
	t.Delete(nameKey(TableSubscriber, s.Name, s.CorrelationKey, uint64(s.Element), uint64(s.Key)))
}

// Subscribers walks those who wait for a message, the smallest element instance
// key first, until fn returns false.
func (t *Tx) Subscribers(name, correlationKey string, fn func(*Subscriber) bool) {
	t.Scan(nameKey(TableSubscriber, name, correlationKey), nil, func(_, value []byte) bool {
		s := t.readSubscriber(value)
		return s != nil && fn(s)
	})
}

// Message is a message that is kept until its time is over.
type Message struct {
	Key                  protocol.Key
	Name, CorrelationKey string
	ID                   string
	Deadline             int64  // ms since 1970
	Variables            []byte // or a reference (shared.go)
}

// InsertMessage keeps a message.
func (t *Tx) InsertMessage(m *Message) {
	t.Hold(m.Variables)
	b := protocol.AppendInt(protocol.AppendString(nil, m.ID), m.Deadline)
	t.Insert(nameKey(TableMessage, m.Name, m.CorrelationKey, uint64(m.Key)), protocol.AppendBytes(b, m.Variables))
	names := protocol.AppendString(protocol.AppendString(nil, m.Name), m.CorrelationKey)
	t.Insert(TableExpiry.Of(uint64(m.Deadline), uint64(m.Key)), names)
	if m.ID != "" {
		t.Put(messageIDKey(m.Name, m.CorrelationKey, m.ID), binary.BigEndian.AppendUint64(nil, uint64(m.Key)))
	}
}

// DeleteMessage forgets a message and who had it.
func (t *Tx) DeleteMessage(m *Message) {
	t.Release(m.Variables)
	t.Delete(nameKey(TableMessage, m.Name, m.CorrelationKey, uint64(m.Key)))
	t.Delete(TableExpiry.Of(uint64(m.Deadline), uint64(m.Key)))
	if m.ID != "" {
		t.Delete(messageIDKey(m.Name, m.CorrelationKey, m.ID))
	}
	var had [][]byte
	t.Scan(TableCorrelated.OfKey(m.Key), nil, func(key, _ []byte) bool {
		had = append(had, append([]byte(nil), key...))
		return true
	})
	for _, key := range had {
		t.Delete(key)
	}
}

// Message reads one, nil if it is not kept.
func (t *Tx) Message(name, correlationKey string, key protocol.Key) *Message {
	b := t.Get(nameKey(TableMessage, name, correlationKey, uint64(key)))
	if b == nil {
		return nil
	}
	return t.readMessage(name, correlationKey, key, b)
}

func (t *Tx) readMessage(name, correlationKey string, key protocol.Key, b []byte) *Message {
	r := protocol.NewReader(b)
	m := &Message{Key: key, Name: name, CorrelationKey: correlationKey, ID: r.String(), Deadline: r.Int(), Variables: r.Bytes()}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return m
}

// Messages walks the messages that are kept for a name and correlation key,
// oldest first, until fn returns false.
func (t *Tx) Messages(name, correlationKey string, fn func(*Message) bool) {
	t.Scan(nameKey(TableMessage, name, correlationKey), nil, func(key, value []byte) bool {
		m := t.readMessage(name, correlationKey, protocol.Key(number(key, 0)), append([]byte(nil), value...))
		return m != nil && fn(m)
	})
}

// DueMessage reads a message by its row of TableExpiry.
func (t *Tx) DueMessage(d Due) *Message {
	r := protocol.NewReader(t.Get(TableExpiry.Of(uint64(d.Time), uint64(d.Key))))
	name, correlationKey := r.String(), r.String()
	err := r.Done()
	var m *Message
	if err == nil {
		m = t.Message(name, correlationKey, d.Key)
	}
	if m == nil {
		t.Fail(cmp.Or(err, protocol.ErrCorrupt))
	}
	return m
}

func messageIDKey(name, correlationKey, id string) []byte {
	return AppendText(nameKey(TableMessageID, name, correlationKey), id)
}

// HasMessageID tells whether a message with this id is kept.
func (t *Tx) HasMessageID(name, correlationKey, id string) bool {
	return t.Get(messageIDKey(name, correlationKey, id)) != nil
}

func correlatedKey(message protocol.Key, processID string) []byte {
	return AppendText(TableCorrelated.OfKey(message), processID)
}

// SetCorrelated notes that an instance of a process has a message that is kept.
func (t *Tx) SetCorrelated(message protocol.Key, processID string) {
	t.Put(correlatedKey(message, processID), []byte{})
}

// ClearCorrelated forgets it: the instance did not want it.
func (t *Tx) ClearCorrelated(message protocol.Key, processID string) {
	t.Delete(correlatedKey(message, processID))
}

// IsCorrelated tells whether an instance of a process has a message.
func (t *Tx) IsCorrelated(message protocol.Key, processID string) bool {
	return t.Get(correlatedKey(message, processID)) != nil
}

// KeyLock returns the instance that a message with this correlation key has
// started and that is not over, 0 if there is none.
func (t *Tx) KeyLock(processID, correlationKey string) protocol.Key {
	if b := t.Get(nameKey(TableKeyLock, processID, correlationKey)); len(b) == 8 {
		return protocol.Key(binary.BigEndian.Uint64(b))
	}
	return 0
}

// SetKeyLock notes it.
func (t *Tx) SetKeyLock(processID, correlationKey string, instance protocol.Key) {
	t.Put(nameKey(TableKeyLock, processID, correlationKey), binary.BigEndian.AppendUint64(nil, uint64(instance)))
}

// ClearKeyLock lets the next message start an instance.
func (t *Tx) ClearKeyLock(processID, correlationKey string) {
	t.Delete(nameKey(TableKeyLock, processID, correlationKey))
}
