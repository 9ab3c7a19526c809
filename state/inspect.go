package state

import "github.com/grevy-io/grevy/protocol"

// What operators ask for is read below the overlay: it is what is committed.

// CommittedIncidents walks the incidents with keys above after, oldest first,
// until fn returns false.
func (t *Tx) CommittedIncidents(after protocol.Key, fn func(*Incident) bool) {
	t.committed(TableIncident, TableIncident.OfKey(after+1), func(it Iterator) bool {
		i := t.Incident(protocol.Key(number(it.Key(), 0)))
		return i != nil && fn(i)
	})
}

// CommittedElements walks the keys of element instances above after in order,
// until fn returns false. root tells whether it is a process instance.
func (t *Tx) CommittedElements(after protocol.Key, fn func(k protocol.Key, root bool) bool) {
	t.committed(TableElement, TableElement.OfKey(after+1), func(it Iterator) bool {
		k := protocol.Key(number(it.Key(), 0))
		stored, err := it.Value()
		if err != nil {
			t.Fail(err)
			return false
		}
		if len(stored) > 0 && stored[0] == inline {
			return fn(k, IsRoot(stored[1:]))
		}
		e := t.Element(k)
		return e != nil && fn(k, e.Scope == 0)
	})
}

// CommittedMessages walks the messages that are kept, those first that are
// forgotten first, behind a place, until fn returns false.
func (t *Tx) CommittedMessages(after protocol.MessagePlace, fn func(place protocol.MessagePlace, name, correlationKey string) bool) {
	t.committed(TableExpiry, TableExpiry.Of(uint64(after.Deadline), uint64(after.Key+1)), func(it Iterator) bool {
		stored, err := it.Value()
		if err == nil {
			stored, err = joinParts(stored, func(i int) ([]byte, error) { return t.over.Base().Raw(partKey(it.Key(), i)) })
		}
		r := protocol.NewReader(stored)
		name, correlationKey := r.String(), r.String()
		if err == nil {
			err = r.Done()
		}
		if err != nil {
			t.Fail(err)
			return false
		}
		return fn(protocol.MessagePlace{Deadline: int64(number(it.Key(), 1)), Key: protocol.Key(number(it.Key(), 0))}, name, correlationKey)
	})
}

func (t *Tx) committed(table Table, from []byte, fn func(Iterator) bool) {
	it := t.over.Base().Iterate([]byte{byte(table)}, from)
	defer it.Close()
	for ; it.Valid() && t.err == nil; it.Next() {
		if !fn(it) {
			return
		}
	}
}

// Had lists up to limit processes of which an instance has had a message.
func (t *Tx) Had(message protocol.Key, limit int) (processes []string) {
	prefix := TableCorrelated.OfKey(message)
	t.Scan(prefix, nil, func(key, _ []byte) bool {
		id, _, ok := CutText(key[len(prefix):])
		if !ok {
			id = "(an id too long for a key)"
		}
		processes = append(processes, id)
		return len(processes) < limit
	})
	return processes
}

// IsCompensating tells whether an event waits for activities that it
// compensates.
func (t *Tx) IsCompensating(event protocol.Key) (yes bool) {
	t.Scan(TableCompensating.OfKey(event), nil, func(_, _ []byte) bool {
		yes = true
		return false
	})
	return yes
}

// String gives the original's name.
func (s ElementState) String() string {
	if s > Terminating {
		return ""
	}
	return [...]string{"", "ACTIVATING", "ACTIVATED", "COMPLETING", "TERMINATING"}[s]
}
