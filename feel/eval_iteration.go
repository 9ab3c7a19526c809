package feel

// iterator is "name in list", or "name in list..end" if end is set.
type iterator struct {
	name      string
	list, end node
}

// each calls visit for each combination of the iterators' values, the last one
// changing fastest, with the values as variables, until visit says no. An
// iterator sees the values of those before it. If one has nothing to iterate
// over, ok is false.
func (c *evaluation) each(its []iterator, visit func() bool) (ok bool) {
	outer := c.frame
	_, ok = c.eachFrom(its, visit)
	c.frame = outer
	return ok
}

func (c *evaluation) eachFrom(its []iterator, visit func() bool) (more, ok bool) {
	if len(its) == 0 {
		return visit(), true
	}
	outer := c.frame
	more, ok = true, true
	found := c.values(its[0], func(v Value) bool {
		c.spend(1)
		c.frame = &frame{name: its[0].name, value: v, parent: outer}
		more, ok = c.eachFrom(its[1:], visit)
		c.frame = outer
		return more && ok
	})
	return more, ok && found
}

// values gives the values of an iterator one by one; false if it has none to give.
func (c *evaluation) values(it iterator, visit func(Value) bool) bool {
	v := it.list.eval(c)
	if it.end != nil {
		return c.steppedValues(v, it.end.eval(c), visit)
	}
	l, ok := v.(List)
	if !ok {
		c.warn(InvalidType, "Expected list but found '"+c.describe(v)+"'")
		return false
	}
	for _, e := range l {
		if !visit(orNull(e)) {
			break
		}
	}
	return true
}

// steppedValues goes from one number to another by one, upwards or downwards.
func (c *evaluation) steppedValues(from, to Value, visit func(Value) bool) bool {
	n, ok1 := from.(Number)
	end, ok2 := to.(Number)
	if !ok1 || !ok2 {
		c.warn(InvalidType, "Expected range of numbers but found '"+c.describe(from)+"' and '"+c.describe(to)+"'")
		return false
	}
	direction := NewInt(1)
	if n.Cmp(end) > 0 {
		direction = NewInt(-1)
	}
	for n.Cmp(end)*int(direction.coef) <= 0 {
		if !visit(n) {
			break
		}
		next, ok := n.add(direction)
		if !ok || next.Cmp(n) == 0 {
			c.exceed("a range of numbers is too large")
		}
		n = next
	}
	return true
}

type forNode struct {
	iterators []iterator
	body      node
	partial   bool // the body may ask for the results so far
}

func (n *forNode) eval(c *evaluation) Value {
	results := List{}
	ok := c.each(n.iterators, func() bool {
		outer := c.frame
		if n.partial {
			// Later results are appended behind the part seen here, if need be to
			// a copy, so that partial never changes.
			partial := results[:len(results):len(results)]
			c.frame = &frame{name: "partial", value: partial, parent: outer}
		}
		results = append(results, n.body.eval(c))
		c.frame = outer
		return true
	})
	if !ok {
		return null
	}
	return results
}

// quantifiedNode is some (decides is true) or every (decides is false).
type quantifiedNode struct {
	iterators []iterator
	body      node
	decides   Bool
}

func (n *quantifiedNode) eval(c *evaluation) Value {
	unknown, decided := false, false
	ok := c.each(n.iterators, func() bool {
		v := n.body.eval(c)
		b, isBool := v.(Bool)
		if !isBool {
			c.warn(InvalidType, "Expected boolean but found '"+c.describe(v)+"'")
			unknown = true
		}
		decided = isBool && b == n.decides
		return !decided
	})
	switch {
	case decided:
		return n.decides
	case !ok || unknown:
		return null
	}
	return !n.decides
}

// filterLink is list[filter]: an index from 1, from the end if negative, or a
// condition on the elements.
type filterLink struct {
	filter      node
	isCondition bool // it can be seen that the filter is no index
}

func newFilter(filter node) *filterLink {
	switch f := filter.(type) {
	case *compareNode, *logicNode, *betweenNode, *inNode, *instanceNode, *quantifiedNode:
		return &filterLink{filter, true}
	case *constNode:
		_, isNumber := f.value.(Number)
		return &filterLink{filter, !isNumber}
	}
	return &filterLink{filter, false}
}

func (n *filterLink) apply(c *evaluation, v Value) Value {
	l, ok := v.(List)
	if !ok {
		if v.Kind() == KindNull {
			return c.warn(InvalidType, "Expected list but found 'null'")
		}
		l = List{v} // DMN 1.3, 10.3.2.5: a value is a list of itself
	}
	if !n.isCondition {
		if i, ok := c.filterIndex(n.filter); ok {
			return c.element(l, i)
		}
	}
	return c.filterList(l, n.filter)
}

// filterIndex gives the filter's value if it is a number without regard to the
// elements. What it warns of is to be heard from filtering, not from trying.
func (c *evaluation) filterIndex(filter node) (Number, bool) {
	warned := len(c.warnings)
	i, ok := filter.eval(c).(Number)
	if !ok {
		c.warnings = c.warnings[:warned]
	}
	return i, ok
}

func (c *evaluation) element(l List, index Number) Value {
	i, ok := index.Int64()
	if i < 0 {
		i += int64(len(l)) + 1
	}
	if !ok || i < 1 || i > int64(len(l)) {
		return c.warn(OutOfBounds, "Index "+index.String()+" out of bounds in list of size "+NewInt(int64(len(l))).String())
	}
	return orNull(l[i-1])
}

func (c *evaluation) filterList(l List, filter node) Value {
	outer := c.frame
	out := List{}
	for _, e := range l {
		c.spend(1)
		e = orNull(e)
		c.frame = &frame{name: "item", value: e, parent: outer}
		if ctx, ok := e.(*Context); ok {
			c.frame = &frame{ctx: ctx, visible: ctx.Len(), parent: c.frame}
		}
		if b, ok := filter.eval(c).(Bool); ok && bool(b) {
			out = append(out, e)
		}
	}
	c.frame = outer
	return out
}
