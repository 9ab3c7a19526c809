package feel

// logicNode is a chain of and, or of or. It has three values: a false decides
// an and, a true decides an or, and everything that is no boolean counts as
// null (DMN 1.3, table 50).
type logicNode struct {
	operands []node
	decides  Bool // true for or
}

func (n *logicNode) eval(c *evaluation) Value {
	unknown := false
	for _, o := range n.operands {
		v := o.eval(c)
		b, ok := v.(Bool)
		if !ok {
			c.warn(InvalidType, "Expected boolean but found '"+c.describe(v)+"'")
			unknown = true
		} else if b == n.decides {
			return n.decides
		}
	}
	if unknown {
		return null
	}
	return !n.decides
}

type operator uint8

const (
	opEqual operator = iota
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
)

type compareNode struct {
	op          operator
	left, right node
}

func (n *compareNode) eval(c *evaluation) Value {
	return c.relate(n.op, n.left.eval(c), n.right.eval(c))
}

func (op operator) holds(order int) Bool {
	switch op {
	case opEqual:
		return order == 0
	case opNotEqual:
		return order != 0
	case opLess:
		return order < 0
	case opLessEqual:
		return order <= 0
	case opGreater:
		return order > 0
	}
	return order >= 0
}

// relate compares two values; it gives null if they cannot be.
func (c *evaluation) relate(op operator, a, b Value) Value {
	if x, ok := a.(Number); ok {
		if y, ok := b.(Number); ok {
			return op.holds(x.Cmp(y))
		}
	}
	if op <= opNotEqual {
		if eq, ok := c.equal(a, b); ok {
			return Bool(eq == (op == opEqual))
		}
		return c.notComparable(a, b)
	}
	if order, ok := compare(a, b); ok {
		return op.holds(order)
	}
	if k := a.Kind(); k == b.Kind() && (k == KindList || k == KindContext) {
		return c.failed("values of type %s can't be ordered: '%s' and '%s'", k, c.describe(a), c.describe(b))
	}
	return c.notComparable(a, b)
}

func (c *evaluation) notComparable(a, b Value) Value {
	return c.warn(NotComparable, "Can't compare '"+c.describe(a)+"' with '"+c.describe(b)+"'")
}

type betweenNode struct{ value, low, high node }

func (n *betweenNode) eval(c *evaluation) Value {
	v, low, high := n.value.eval(c), n.low.eval(c), n.high.eval(c)
	a, ok1 := compare(v, low)
	b, ok2 := compare(v, high)
	if !ok1 || !ok2 {
		return c.warn(NotComparable, "Can't compare '"+c.describe(v)+"' with '"+c.describe(low)+"' and '"+c.describe(high)+"'")
	}
	return Bool(a >= 0 && b <= 0)
}

// inNode is "value in test"; the test sees the value as its input.
type inNode struct{ value, test node }

func (n *inNode) eval(c *evaluation) Value {
	input, had := c.input, c.hasInput
	v := n.value.eval(c)
	c.input, c.hasInput = v, true
	r := n.test.eval(c)
	c.input, c.hasInput = input, had
	return r
}
