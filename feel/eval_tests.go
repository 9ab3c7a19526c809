package feel

// The unary tests (DMN 1.3, 10.3.2.8): nodes that test the input. They are
// true, false, or null where the input cannot be compared.

type anyTestNode struct{ tests []node } // a list of tests: one suffices

func (n *anyTestNode) eval(c *evaluation) Value {
	unknown := false
	for _, t := range n.tests {
		c.spend(1)
		v := t.eval(c)
		b, ok := v.(Bool)
		unknown = unknown || !ok
		if b {
			return b
		}
	}
	if unknown {
		return null
	}
	return Bool(false)
}

type notTestNode struct{ test node }

func (n *notTestNode) eval(c *evaluation) Value {
	if b, ok := n.test.eval(c).(Bool); ok {
		return !b
	}
	return null
}

// testInput gives the input. Without one (a test as an expression) it is null.
func (c *evaluation) testInput() Value {
	if !c.hasInput {
		return c.warn(NoVariableFound, "No input value found.")
	}
	return c.input
}

type compareTestNode struct {
	op      operator
	operand node
}

func (n *compareTestNode) eval(c *evaluation) Value {
	return c.relate(n.op, c.testInput(), n.operand.eval(c))
}

type rangeTestNode struct{ rangeNode }

func (n *rangeTestNode) eval(c *evaluation) Value {
	// The original asks for the input once for each end, which shows in the warnings.
	c.testInput()
	v := c.testInput()
	return c.within(v, n.start.eval(c), n.end.eval(c), n.startIncluded, n.endIncluded)
}

func (c *evaluation) within(v, start, end Value, startIncluded, endIncluded bool) Value {
	r := Range{start, end, startIncluded, endIncluded}
	if in, ok := r.contains(v); ok {
		return Bool(in)
	}
	return c.warn(NotComparable, "Can't compare '"+c.describe(v)+"' with '"+c.describe(start)+"' and '"+c.describe(end)+"'")
}

// valueTestNode is an expression as a test: it is fulfilled if its value is
// true, equals the input, or is a list or range that holds the input.
type valueTestNode struct{ expr node }

func (n *valueTestNode) eval(c *evaluation) Value {
	return c.matches(c.testInput(), n.expr.eval(c))
}

func (c *evaluation) matches(input, v Value) Value {
	switch t := v.(type) {
	case Bool:
		if t {
			return t
		}
	case List:
		return c.matchesList(input, t)
	case *Range:
		return c.within(input, t.Start, t.End, t.StartIncluded, t.EndIncluded)
	}
	if eq, ok := c.equal(input, v); ok {
		return Bool(eq)
	}
	return c.notComparable(input, v)
}

// matchesList says whether the list holds the input, or is the input. Contexts
// in a list are never the input, as in the original.
func (c *evaluation) matchesList(input Value, l List) Value {
	if in, ok := input.(List); ok {
		if eq, _ := c.equal(in, l); eq {
			return Bool(true)
		}
	}
	for _, e := range l {
		c.spend(1)
		if r, ok := e.(*Range); ok {
			if in, ok := r.contains(input); ok && in {
				return Bool(true)
			}
			continue
		}
		if c.holdsContext(e, 0) {
			continue
		}
		if eq, ok := c.equal(input, e); ok && eq {
			return Bool(true)
		}
	}
	return Bool(false)
}

// holdsContext says whether a value is or has in it a context.
func (c *evaluation) holdsContext(v Value, depth int) bool {
	switch v := v.(type) {
	case *Context:
		return true
	case List:
		depth = c.deeper(depth)
		for _, e := range v {
			if c.holdsContext(e, depth) {
				return true
			}
		}
	}
	return false
}
