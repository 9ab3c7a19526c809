package state

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// This file stores a document once for many rows. A message or signal of 4 MB that
// many get would else be written once for each of them in one entry. Wherever a
// row has such variables, it may have a reference instead: a zero byte, which
// begins no JSON, the key of the document and its size. Each such row is a
// holder; the document goes with the last one.

// Share writes a document with its maker as the only holder, and returns the
// reference.
func (t *Tx) Share(key protocol.Key, doc []byte) []byte {
	t.Insert(TableShared.OfKey(key), doc)
	t.Insert(TableHolders.OfKey(key), binary.BigEndian.AppendUint64(nil, 1))
	return protocol.AppendInt(protocol.AppendInt([]byte{0}, int64(key)), int64(len(doc)))
}

// IsShared tells whether variables are a reference.
func IsShared(variables []byte) bool { return len(variables) > 0 && variables[0] == 0 }

// SharedKey returns the document's key and size.
func SharedKey(ref []byte) (key protocol.Key, size int, err error) {
	r := protocol.NewReader(ref[1:])
	key, size = r.Key(), int(r.Int())
	return key, size, r.Done()
}

// Document returns variables as they are: the document if they are a reference.
func (t *Tx) Document(variables []byte) []byte {
	if !IsShared(variables) {
		return variables
	}
	key, size, err := SharedKey(variables)
	doc := t.Get(TableShared.OfKey(key))
	if err != nil || len(doc) != size {
		t.Fail(protocol.ErrCorrupt)
		return nil
	}
	return append([]byte(nil), doc...)
}

// Hold adds a holder; variables that are no reference need none.
func (t *Tx) Hold(variables []byte) { t.hold(variables, 1) }

// Release takes a holder away, and the document with the last one.
func (t *Tx) Release(variables []byte) { t.hold(variables, -1) }

func (t *Tx) hold(variables []byte, add int) {
	if !IsShared(variables) {
		return
	}
	key, _, err := SharedKey(variables)
	holders := TableHolders.OfKey(key)
	n := int(t.count(holders)) + add
	if err != nil || n < 0 || n == add {
		t.Fail(protocol.ErrCorrupt)
		return
	}
	if n == 0 {
		t.Delete(holders)
		t.Delete(TableShared.OfKey(key))
		return
	}
	t.Put(holders, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// variablesOf returns where a command of an outbox has variables, nil if it has none.
func variablesOf(c protocol.Command) *[]byte {
	switch c := c.(type) {
	case *protocol.Correlate:
		return &c.Variables
	case *protocol.BroadcastSignal:
		return &c.Variables
	}
	return nil
}

// SharedBy returns the reference that a command of an outbox has, nil if it has none.
func SharedBy(c protocol.Command) []byte {
	if v := variablesOf(c); v != nil && IsShared(*v) {
		return *v
	}
	return nil
}

// sharedSize is how large the shared document of a command is; a reference that
// cannot be read fails where the document is wanted.
func sharedSize(c protocol.Command) int {
	ref := SharedBy(c)
	if ref == nil {
		return 0
	}
	_, size, _ := SharedKey(ref)
	return size
}

// Whole returns a command of an outbox as its receiver has to get it. The one
// given stays as it is.
func (t *Tx) Whole(c protocol.Command) protocol.Command {
	ref := SharedBy(c)
	if ref == nil {
		return c
	}
	switch c := c.(type) {
	case *protocol.Correlate:
		whole := *c
		whole.Variables = t.Document(ref)
		return &whole
	case *protocol.BroadcastSignal:
		whole := *c
		whole.Variables = t.Document(ref)
		return &whole
	}
	return c
}

// Later is what a message or signal with a shared document will do here: happen
// at an element instance, or begin the instance Root of Definition at the start
// event Event. Or it is what another partition has refused, without variables.
type Later struct {
	What             protocol.Correlate // of a start event what is known of the message; Message is 0 for a signal
	Definition, Root protocol.Key       // of a start event, else 0
	Event            string
}

// Key is that of the instance to begin or of the subscription, to which one message
// at a time is on its way.
func (l *Later) Key() protocol.Key {
	if l.Definition != 0 {
		return l.Root
	}
	return l.What.Subscription
}

// AddLater writes one.
func (t *Tx) AddLater(l *Later) {
	t.Hold(l.What.Variables)
	b := protocol.AppendInt(protocol.AppendInt(nil, int64(l.Definition)), int64(l.Root))
	t.Put(TableLater.OfKey(l.Key()), protocol.EncodeCommand(protocol.AppendString(b, l.Event), &l.What))
}

// Later reads one, nil if there is none.
func (t *Tx) Later(key protocol.Key) *Later {
	b := t.get(TableLater, key)
	if b == nil {
		return nil
	}
	r := protocol.NewReader(append([]byte(nil), b...))
	l := &Later{Definition: r.Key(), Root: r.Key(), Event: r.String()}
	c, err := protocol.DecodeCommand(r.Rest())
	correlate, ok := c.(*protocol.Correlate)
	if r.Err() != nil || err != nil || !ok {
		t.Fail(protocol.ErrCorrupt)
		return nil
	}
	l.What = *correlate
	return l
}

// DeleteLater removes one.
func (t *Tx) DeleteLater(l *Later) {
	t.Delete(TableLater.OfKey(l.Key()))
	t.Release(l.What.Variables)
}
