package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// compensates tells whether an element waits for handlers.
func (k *checker) compensates(e *state.ElementInstance) bool {
	return len(k.tx.AllCompensating(e.Key, 1)) > 0
}

// compensation: what was completed in a scope stands there as long as the scope
// is there, or is inside of something that does; handlers and those who wait for
// them know each other.
func (k *checker) compensation() {
	reached := map[string]bool{}
	for key, e := range k.Elements {
		if e.Extra == nil || e.Extra.Compensation == nil {
			continue
		}
		c := e.Extra.Compensation
		k.reach(reached, key, c.Rows)
		for i := range c.Completed {
			k.reachInside(reached, &c.Completed[i])
		}
		for _, s := range c.Search {
			if s.Parent != 0 {
				k.reach(reached, s.Scope, s.End)
			}
		}
		if len(c.Search) > 0 && k.Suspends == 0 {
			k.fail("element %d (%s) has to look for %v and nothing goes on with it", key, e.Element, c.Search)
		}
	}
	for _, row := range k.Rows[state.TableCompensable] {
		if !reached[string(row)] {
			k.fail("row %x of what can be compensated belongs to nothing", row)
		}
	}
	k.compensating()
}

// reach follows the rows of a scope.
func (k *checker) reach(reached map[string]bool, scope protocol.Key, end int64) {
	for from := int64(0); ; from++ {
		n, list, ok := k.tx.Compensables(scope, from)
		if !ok {
			return
		}
		row := string(state.TableCompensable.Of(uint64(scope), uint64(n)))
		if n >= end || len(list) == 0 || len(list) > state.MaxInlineCompensable || reached[row] {
			k.fail("row %x: %d of %d, %d entries, reached %v", row, n, end, len(list), reached[row])
		}
		reached[row] = true
		for i := range list {
			k.reachInside(reached, &list[i])
		}
		from = n
	}
}

func (k *checker) reachInside(reached map[string]bool, c *state.Compensable) {
	if k.Elements[c.Instance] != nil || c.Handler == "" && !c.Inside {
		k.fail("%s (%d) can be compensated, though it is active or by nothing", c.Activity, c.Instance)
	}
	if c.Inside {
		k.reach(reached, c.Instance, 1<<62)
	}
}

func (k *checker) compensating() {
	handlers := map[protocol.Key]bool{}
	for _, row := range k.Rows[state.TableCompensating] {
		throw := protocol.Key(number(row, 1))
		v := k.tx.Compensating(throw, protocol.Key(number(row, 0)))
		e, h := k.Elements[throw], k.Elements[v.HandlerInstance]
		switch {
		case e == nil || e.State != state.Activated && k.Suspends == 0:
			k.fail("row %x belongs to no event that waits", row)
		case v.HandlerInstance == 0 && v.Open < 1:
			k.fail("row %x waits for nothing", row)
		case v.HandlerInstance != 0 && (h == nil || h.Extra == nil || h.Extra.Compensation == nil || h.Extra.Compensation.Throw != throw || h.Extra.Compensation.Subscription != v.Key):
			k.fail("row %x: handler %d does not know it", row, v.HandlerInstance)
		}
		handlers[v.HandlerInstance] = true
	}
	for key, e := range k.Elements {
		if e.Extra != nil && e.Extra.Compensation != nil && k.Elements[e.Extra.Compensation.Throw] != nil && !handlers[key] {
			k.fail("handler %d (%s) works for %d, which does not know it", key, e.Element, e.Extra.Compensation.Throw)
		}
	}
}
