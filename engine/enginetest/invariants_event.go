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
			} else if protocol.MessagePartition(s.CorrelationKey, k.partitions) == k.partition {
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
	for key := range locks {
		k.fail("a key is locked for instance %d, which is not there", key)
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
		if d == nil || k.tx.Newest(d.Kind, d.ID) != key || protocol.MessagePartition(d.ID, k.partitions) != k.partition {
			k.fail("timers start %d, which is not the newest version or not ours", key)
		}
	}
}
