package state

import (
	"github.com/grevy-io/grevy/protocol"
)

// StartKind is the kind of event that starts instances of a definition.
type StartKind byte

// The kinds. Numbers stand in stores.
const (
	MessageStart StartKind = iota + 1
	SignalStart
)

// Start is a start event of the newest version of a process that an event's name
// finds.
type Start struct {
	Kind       StartKind
	Name       string // of the message or signal
	ProcessID  string
	Definition protocol.Key
	Event      string // id of the start event
	Key        protocol.Key
}

func startKey(s *Start) []byte {
	b := AppendText(append(TableStart.Key(len(s.Name)+len(s.ProcessID)+8), byte(s.Kind)), s.Name)
	return AppendText(AppendText(b, s.ProcessID), s.Event)
}

// PutStart writes one.
func (t *Tx) PutStart(s *Start) {
	b := protocol.AppendInt(protocol.AppendInt(nil, int64(s.Definition)), int64(s.Key))
	t.Put(startKey(s), b)
}

// StartKeyOf returns the key of a start that is written, 0 if there is none.
func (t *Tx) StartKeyOf(s *Start) protocol.Key {
	b := t.Get(startKey(s))
	if b == nil {
		return 0
	}
	r := protocol.NewReader(b)
	r.Key()
	k := r.Key()
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return k
}

// DeleteStart removes one.
func (t *Tx) DeleteStart(s *Start) { t.Delete(startKey(s)) }

// Starts lists what an event of a name starts, by process id and start event.
func (t *Tx) Starts(kind StartKind, name string) (list []Start) {
	prefix := AppendText(append(TableStart.Key(len(name)+3), byte(kind)), name)
	t.Scan(prefix, nil, func(key, value []byte) bool {
		s := Start{Kind: kind, Name: name}
		var ok, ok2 bool
		rest := key[len(prefix):]
		s.ProcessID, rest, ok = CutText(rest)
		s.Event, rest, ok2 = CutText(rest)
		r := protocol.NewReader(value)
		s.Definition, s.Key = r.Key(), r.Key()
		if err := r.Done(); err != nil || !ok || !ok2 || len(rest) > 0 {
			t.Fail(protocol.ErrCorrupt)
			return false
		}
		list = append(list, s)
		return true
	})
	return list
}

// StartTimers are the timers that start instances of a definition, found like
// those of elements by their time.
func (t *Tx) StartTimers(definition protocol.Key) []Timer {
	b := t.get(TableStartTimer, definition)
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	list := readTimers(r)
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return list
}

// PutStartTimers writes those of a definition in place of old.
func (t *Tx) PutStartTimers(definition protocol.Key, old, now []Timer) {
	for i := range old {
		t.deleteTimerRow(&old[i])
	}
	for i := range now {
		row := protocol.AppendInt(protocol.AppendInt(nil, 0), int64(definition))
		t.Insert(TableTimer.Of(uint64(now[i].Due), uint64(now[i].Key)), row)
	}
	if len(now) == 0 {
		t.Delete(TableStartTimer.OfKey(definition))
		return
	}
	t.Put(TableStartTimer.OfKey(definition), appendTimers(nil, now))
}
