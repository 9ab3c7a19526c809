package state

import (
	"github.com/grevy-io/grevy/protocol"
)

// AddSignal notes that an element instance waits for a signal.
func (t *Tx) AddSignal(name string, subscription, element protocol.Key) {
	t.Insert(TableSignal.OfString(name, uint64(subscription)), protocol.AppendInt(nil, int64(element)))
}

// DeleteSignal forgets it.
func (t *Tx) DeleteSignal(name string, subscription protocol.Key) {
	t.Delete(TableSignal.OfString(name, uint64(subscription)))
}

// SignalWait is an element instance that waits for a signal.
type SignalWait struct{ Subscription, Element protocol.Key }

// SignalWaits lists up to limit of those who wait for a signal, whose
// subscriptions have keys above after and below before.
func (t *Tx) SignalWaits(name string, after, before protocol.Key, limit int) (list []SignalWait) {
	t.Scan(TableSignal.OfString(name), TableSignal.OfString(name, uint64(after+1)), func(key, value []byte) bool {
		w := SignalWait{Subscription: protocol.Key(number(key, 0))}
		if w.Subscription >= before || len(list) == limit {
			return false
		}
		r := protocol.NewReader(value)
		w.Element = r.Key()
		if err := r.Done(); err != nil {
			t.Fail(err)
			return false
		}
		list = append(list, w)
		return true
	})
	return list
}

// Broadcast is a signal on its way to those who wait for it on this partition.
type Broadcast struct {
	Name      string
	Variables []byte // or a reference (shared.go)
	// After is the last subscription that has it.
	After protocol.Key
}

// PutBroadcast writes it under a key minted here: whoever began to wait later
// does not get it. fresh: it is new.
func (t *Tx) PutBroadcast(key protocol.Key, s *Broadcast, fresh bool) {
	if fresh {
		t.Hold(s.Variables)
	}
	stored := protocol.AppendBytes(protocol.AppendString(row(jobSize), s.Name), s.Variables)
	t.set(TableBroadcast.OfKey(key), write{stored: protocol.AppendInt(stored, int64(s.After)), fresh: fresh})
}

// Broadcast reads one, nil if it is over.
func (t *Tx) Broadcast(key protocol.Key) *Broadcast {
	b := t.get(TableBroadcast, key)
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	s := &Broadcast{Name: r.String(), Variables: append([]byte(nil), r.Bytes()...), After: r.Key()}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return s
}

// DeleteBroadcast ends one.
func (t *Tx) DeleteBroadcast(key protocol.Key, s *Broadcast) {
	t.Delete(TableBroadcast.OfKey(key))
	t.Release(s.Variables)
}
