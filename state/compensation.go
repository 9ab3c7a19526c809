package state

import (
	"bytes"

	"github.com/grevy-io/grevy/protocol"
)

// Compensation is what an element instance has to do with compensation: as a
// scope in which something was completed that can be compensated, as an event
// that compensates, as a handler.
type Compensation struct {
	// Completed are the last activities of a scope that were completed and can be
	// compensated; those before stand in rows of TableCompensable, MaxInlineCompensable
	// each, numbered from 0. Rows is the next number: some of those below may be gone.
	Completed []Compensable
	Rows      int64
	// Search is where an event still has to look for activities, the next place last.
	Search []CompensationSearch
	// Throw is the event that a handler works for, and Subscription what it
	// compensates: the key of a row of TableCompensating.
	Throw, Subscription protocol.Key
}

// MaxInlineCompensable bounds the activities that stand in their scope's record.
const MaxInlineCompensable = 32

// Compensable is an activity that was completed and can be compensated.
type Compensable struct {
	// Key is that of the original's subscription, Instance that of the activity,
	// which was the scope of what was completed inside it.
	Key, Instance protocol.Key
	// Activity is its id, Handler that of the activity that compensates it, empty
	// if only what is inside it is compensated.
	Activity, Handler string
	// Inside says that something was completed inside it; it stands in rows.
	Inside bool
}

// CompensationSearch is a scope whose rows from Next to before End are still to be
// looked through. Parent is the subscription of the activity that was this scope,
// 0 for the scope of the event itself.
type CompensationSearch struct {
	Scope, Parent protocol.Key
	Next, End     int64
}

// Compensating is an activity that is being compensated.
type Compensating struct {
	Compensable
	// Scope is the activity's, Parent the subscription of the activity that was
	// this scope, 0 if there was none.
	Scope, Parent protocol.Key
	// HandlerInstance is the handler at work, 0 if there is none. Open counts what
	// is left inside an activity without a handler.
	HandlerInstance protocol.Key
	Open            int64
}

func appendCompensable(b []byte, c *Compensable) []byte {
	b = protocol.AppendInt(protocol.AppendInt(b, int64(c.Key)), int64(c.Instance))
	return protocol.AppendBool(protocol.AppendString(protocol.AppendString(b, c.Activity), c.Handler), c.Inside)
}

func readCompensable(r *protocol.Reader) Compensable {
	return Compensable{Key: r.Key(), Instance: r.Key(), Activity: text(r), Handler: text(r), Inside: r.Bool()}
}

func appendCompensables(b []byte, list []Compensable) []byte {
	b = protocol.AppendUint(b, uint64(len(list)))
	for i := range list {
		b = appendCompensable(b, &list[i])
	}
	return b
}

func readCompensables(r *protocol.Reader) []Compensable {
	n := r.Count(5)
	if n == 0 {
		return nil
	}
	list := make([]Compensable, n)
	for i := range list {
		list[i] = readCompensable(r)
	}
	return list
}

func (c *Compensation) empty() bool {
	return c == nil || len(c.Completed) == 0 && c.Rows == 0 && len(c.Search) == 0 && c.Throw == 0
}

func appendCompensation(b []byte, c *Compensation) []byte {
	b = protocol.AppendInt(appendCompensables(b, c.Completed), c.Rows)
	b = protocol.AppendUint(b, uint64(len(c.Search)))
	for _, s := range c.Search {
		b = protocol.AppendInt(protocol.AppendInt(b, int64(s.Scope)), int64(s.Parent))
		b = protocol.AppendInt(protocol.AppendInt(b, s.Next), s.End)
	}
	return protocol.AppendInt(protocol.AppendInt(b, int64(c.Throw)), int64(c.Subscription))
}

func readCompensation(r *protocol.Reader) *Compensation {
	c := &Compensation{Completed: readCompensables(r), Rows: r.Int()}
	if n := r.Count(4); n > 0 {
		c.Search = make([]CompensationSearch, n)
		for i := range c.Search {
			c.Search[i] = CompensationSearch{Scope: r.Key(), Parent: r.Key(), Next: r.Int(), End: r.Int()}
		}
	}
	c.Throw, c.Subscription = r.Key(), r.Key()
	return c
}

// AddCompensable notes a completed activity in its scope. The caller writes the
// scope's record.
func (t *Tx) AddCompensable(scope *ElementInstance, c Compensable) {
	x := scope.More().Compensate()
	if len(x.Completed) == MaxInlineCompensable {
		t.MoveCompensables(scope)
	}
	x.Completed = append(x.Completed, c)
}

// Compensate returns x's Compensation, and makes one if there is none.
func (x *Extra) Compensate() *Compensation {
	if x.Compensation == nil {
		x.Compensation = &Compensation{}
	}
	return x.Compensation
}

// MoveCompensables brings what stands in the record of a scope into a row. The
// caller writes the record.
func (t *Tx) MoveCompensables(scope *ElementInstance) {
	x := scope.Extra.Compensation
	if len(x.Completed) > 0 {
		t.Insert(TableCompensable.Of(uint64(scope.Key), uint64(x.Rows)), appendCompensables(nil, x.Completed))
		x.Completed, x.Rows = nil, x.Rows+1
	}
}

// Compensables reads the first row of a scope that is not below from. ok is false
// if there is none.
func (t *Tx) Compensables(scope protocol.Key, from int64) (n int64, list []Compensable, ok bool) {
	t.Scan(TableCompensable.Of(uint64(scope)), TableCompensable.Of(uint64(scope), uint64(from)), func(key, value []byte) bool {
		n, ok = int64(number(key, 0)), true
		r := protocol.NewReader(bytes.Clone(value))
		list = readCompensables(r)
		if err := r.Done(); err != nil {
			t.Fail(err)
		}
		return false
	})
	return n, list, ok
}

// PutCompensables writes what is left of a row of a scope.
func (t *Tx) PutCompensables(scope protocol.Key, n int64, list []Compensable) {
	key := TableCompensable.Of(uint64(scope), uint64(n))
	if len(list) == 0 {
		t.Delete(key)
		return
	}
	t.Put(key, appendCompensables(nil, list))
}

// PutCompensating writes an activity that is being compensated by an event.
func (t *Tx) PutCompensating(throw protocol.Key, c *Compensating, fresh bool) {
	b := protocol.AppendInt(protocol.AppendInt(appendCompensable(nil, &c.Compensable), int64(c.Scope)), int64(c.Parent))
	b = protocol.AppendInt(protocol.AppendInt(b, int64(c.HandlerInstance)), c.Open)
	key := TableCompensating.Of(uint64(throw), uint64(c.Key))
	if fresh {
		t.Insert(key, b)
		return
	}
	t.Put(key, b)
}

// Compensating reads an activity that is being compensated by an event, nil if
// it is not.
func (t *Tx) Compensating(throw, subscription protocol.Key) *Compensating {
	b := t.Get(TableCompensating.Of(uint64(throw), uint64(subscription)))
	if b == nil {
		return nil
	}
	return t.readCompensating(b)
}

func (t *Tx) readCompensating(b []byte) *Compensating {
	r := protocol.NewReader(b)
	c := &Compensating{Compensable: readCompensable(r), Scope: r.Key(), Parent: r.Key(), HandlerInstance: r.Key(), Open: r.Int()}
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return c
}

// AllCompensating lists up to limit activities that an event compensates.
func (t *Tx) AllCompensating(throw protocol.Key, limit int) (list []*Compensating) {
	t.Scan(TableCompensating.Of(uint64(throw)), nil, func(_, value []byte) bool {
		list = append(list, t.readCompensating(bytes.Clone(value)))
		return len(list) < limit
	})
	return list
}

// DeleteCompensating forgets an activity that an event compensates.
func (t *Tx) DeleteCompensating(throw, subscription protocol.Key) {
	t.Delete(TableCompensating.Of(uint64(throw), uint64(subscription)))
}
