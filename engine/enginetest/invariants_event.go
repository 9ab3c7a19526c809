package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// subscriptions: an element's signals have exactly one row each; who waits for a
// message on its own partition is known there, and only who waits.
func (k *checker) subscriptions() {
	signals, subscribers := map[protocol.Key]protocol.Key{}, map[protocol.Key]bool{}
	for key, e := range k.Elements {
		if e.Extra == nil {
			continue
		}
		for _, s := range e.Extra.Subscriptions {
			if e.State == state.Terminating {
				k.fail("element %d ends and waits for %s", key, s.Name)
			}
			if s.Signal {
				signals[s.Key] = key
			} else if protocol.MessagePartition(s.CorrelationKey, k.spread) == k.partition {
				subscribers[s.Key] = true
			}
		}
	}
	for _, row := range k.Rows[state.TableSignal] {
		sub := protocol.Key(number(row, 0))
		if at := protocol.NewReader(k.tx.Get(row)).Key(); signals[sub] != at {
			k.fail("signal row %x of element %d has no such subscription", row, at)
		}
		delete(signals, sub)
	}
	for sub, key := range signals {
		k.fail("subscription %d of element %d has no row", sub, key)
	}
	for _, row := range k.Rows[state.TableSubscriber] {
		element, sub := protocol.Key(number(row, 1)), protocol.Key(number(row, 0))
		if element.Partition() == k.partition && !subscribers[sub] {
			k.fail("element %d is known to wait by %d, and does not", element, sub)
		}
		r := protocol.NewReader(k.tx.Get(row))
		protocol.ReadSubscription(r)
		if m := r.Key(); m != 0 && element.Partition() == k.partition && k.Suspends == 0 {
			k.fail("message %d is on its way to subscription %d, and nothing goes on with it", m, sub)
		}
		delete(subscribers, sub)
	}
	for sub := range subscribers {
		k.fail("subscription %d is not known to its message's partition", sub)
	}
	if n := len(k.Rows[state.TableBroadcast]); n > 0 && k.Suspends == 0 {
		k.fail("%d signals are on their way and nothing goes on with them", n)
	}
}

// messages: each is found by its deadline, and what is known of it goes with it.
func (k *checker) messages() {
	kept := map[protocol.Key]bool{}
	for _, row := range k.Rows[state.TableMessage] {
		kept[protocol.Key(number(row, 0))] = true
	}
	if n := len(k.Rows[state.TableExpiry]); n != len(kept) {
		k.fail("%d messages have %d deadlines", len(kept), n)
	}
	for _, row := range k.Rows[state.TableExpiry] {
		if key := protocol.Key(number(row, 0)); !kept[key] {
			k.fail("deadline of message %d, which is not there", key)
		}
	}
	for _, row := range k.Rows[state.TableCorrelated] {
		key := protocol.Key(number(row[:9], 0))
		if !kept[key] {
			k.fail("somebody has had message %d, which is not there", key)
		}
	}
	for _, row := range k.Rows[state.TableMessageID] {
		if key := protocol.Key(number(k.tx.Get(row), 0)); !kept[key] {
			k.fail("id of message %d, which is not there", key)
		}
	}
	locks := map[protocol.Key]bool{}
	for _, row := range k.Rows[state.TableKeyLock] {
		locks[protocol.Key(number(k.tx.Get(row), 0))] = true
	}
	for key, e := range k.Elements {
		if e.Extra != nil && (e.Extra.StartKey != "") != locks[key] {
			k.fail("instance %d was started by key %q, locked: %v", key, e.Extra.StartKey, locks[key])
		}
		delete(locks, key)
	}
	for _, row := range k.Rows[state.TableLater] {
		delete(locks, k.tx.Later(protocol.Key(number(row, 0))).Root)
	}
	for key := range locks {
		k.fail("a key is locked for instance %d, which is not there", key)
	}
}

// shared: each shared document has as many holders as rows refer to it, and at
// least one.
func (k *checker) shared() {
	holders := map[protocol.Key]int{}
	hold := func(variables []byte) {
		if state.IsShared(variables) {
			key, size, err := state.SharedKey(variables)
			if err != nil || len(k.tx.Get(state.TableShared.OfKey(key))) != size {
				k.fail("document %d is not as it is referred to (%d bytes, %v)", key, size, err)
			}
			holders[key]++
		}
	}
	for i := range k.Outbox {
		hold(state.SharedBy(k.Outbox[i].Command))
	}
	for _, row := range k.Rows[state.TableLater] {
		hold(k.tx.Later(protocol.Key(number(row, 0))).What.Variables)
	}
	for _, row := range k.Rows[state.TableBroadcast] {
		hold(k.tx.Broadcast(protocol.Key(number(row, 0))).Variables)
	}
	for _, row := range k.Rows[state.TableExpiry] {
		r := protocol.NewReader(k.tx.Get(row))
		if m := k.tx.Message(r.String(), r.String(), protocol.Key(number(row, 0))); m != nil {
			hold(m.Variables)
		}
	}
	if n := len(k.Rows[state.TableShared]); n != len(holders) {
		k.fail("%d shared documents, %d are referred to", n, len(holders))
	}
	for _, row := range k.Rows[state.TableHolders] {
		key := protocol.Key(number(row, 0))
		if n := int(number(k.tx.Get(row), 0)); n != holders[key] {
			k.fail("document %d is held %d times and referred to %d times", key, n, holders[key])
		}
	}
	if n := len(k.Rows[state.TableLater]); n > 0 && k.Suspends == 0 {
		k.fail("%d messages or signals are to happen and nothing goes on with them", n)
	}
}

// starts: only newest versions are started by events.
func (k *checker) starts() {
	for _, row := range k.Rows[state.TableStart] {
		key := protocol.NewReader(k.tx.Get(row)).Key()
		d := k.Definitions[key]
		if d == nil || k.tx.Newest(d.Kind, d.ID) != key {
			k.fail("events start %d, which is not the newest version", key)
		}
	}
	for _, row := range k.Rows[state.TableStartTimer] {
		key := protocol.Key(number(row, 0))
		d := k.Definitions[key]
		if d == nil || k.tx.Newest(d.Kind, d.ID) != key || protocol.MessagePartition(d.ID, k.spread) != k.partition {
			k.fail("timers start %d, which is not the newest version or not ours", key)
		}
	}
}
