package feel

import "strings"

// compare orders two values of the same comparable kind; ok is false for all
// others. Times and date-times with an offset or zone compare as instants.
func compare(a, b Value) (order int, ok bool) {
	switch x := a.(type) {
	case Number:
		if y, is := b.(Number); is {
			return x.Cmp(y), true
		}
	case String:
		if y, is := b.(String); is {
			return strings.Compare(string(x), string(y)), true
		}
	case Date:
		if y, is := b.(Date); is {
			return x.cmp(y), true
		}
	case Time:
		if y, is := b.(Time); is && x.Kind() == y.Kind() {
			return cmp64(x.utcNanos(), y.utcNanos()), true
		}
	case DateTime:
		if y, is := b.(DateTime); is && x.Kind() == y.Kind() {
			return x.cmp(y), true
		}
	case DaysTimeDuration:
		if y, is := b.(DaysTimeDuration); is {
			return x.cmp(y), true
		}
	case YearsMonthsDuration:
		if y, is := b.(YearsMonthsDuration); is {
			return cmp64(x.months, y.months), true
		}
	}
	return 0, false
}

// equal says whether two values are equal; ok is false if they are of
// different kinds. null equals only null.
func (c *evaluation) equal(a, b Value) (eq, ok bool) { return c.equalAt(a, b, 0) }

func (c *evaluation) equalAt(a, b Value, depth int) (eq, ok bool) {
	a, b = orNull(a), orNull(b)
	ka, kb := a.Kind(), b.Kind()
	if ka == KindNull || kb == KindNull {
		return ka == kb, true
	}
	if ka != kb {
		return false, false
	}
	switch x := a.(type) {
	case Bool:
		return x == b.(Bool), true
	case List:
		return c.equalLists(x, b.(List), depth), true
	case *Context:
		return c.equalContexts(x, b.(*Context), depth), true
	case *Range:
		return c.equalRanges(x, b.(*Range), depth), true
	case Time:
		y := b.(Time)
		return x.nanos == y.nanos && x.zone.equal(y.zone), true
	case DateTime:
		y := b.(DateTime)
		return x.date == y.date && x.nanos == y.nanos && x.offset == y.offset && x.zone.equal(y.zone), true
	}
	order, ok := compare(a, b)
	return order == 0, ok
}

func (c *evaluation) deeper(depth int) int {
	c.spend(1)
	if depth > maxValueDepth {
		c.exceed("a value is nested too deeply")
	}
	return depth + 1
}

func (c *evaluation) equalLists(a, b List, depth int) bool {
	depth = c.deeper(depth)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		c.spend(1)
		if eq, ok := c.equalAt(a[i], b[i], depth); !ok || !eq {
			return false
		}
	}
	return true
}

func (c *evaluation) equalContexts(a, b *Context, depth int) bool {
	depth = c.deeper(depth)
	if a.Len() != b.Len() {
		return false
	}
	for _, e := range a.entries {
		c.spend(1)
		v, found := b.Get(e.Key)
		if !found {
			return false
		}
		if eq, ok := c.equalAt(e.Value, v, depth); !ok || !eq {
			return false
		}
	}
	return true
}

func (c *evaluation) equalRanges(a, b *Range, depth int) bool {
	depth = c.deeper(depth)
	if a.StartIncluded != b.StartIncluded || a.EndIncluded != b.EndIncluded {
		return false
	}
	start, ok1 := c.equalAt(a.Start, b.Start, depth)
	end, ok2 := c.equalAt(a.End, b.End, depth)
	return ok1 && ok2 && start && end
}

// listContains says whether an element equals the value.
func (c *evaluation) listContains(l List, v Value) bool {
	for _, e := range l {
		c.spend(1)
		if eq, ok := c.equal(e, v); ok && eq {
			return true
		}
	}
	return false
}
