package feel

// chainNode is a chain of operators of one precedence: a + b - c. It is one
// node so that a long chain does not nest.
type chainNode struct {
	first node
	ops   []byte
	rest  []node
}

func (n *chainNode) eval(c *evaluation) Value {
	v := n.first.eval(c)
	if len(n.rest) > 8 {
		c.spend(len(n.rest))
	}
	for i, r := range n.rest {
		w := r.eval(c)
		switch n.ops[i] {
		case '+':
			v = c.add(v, w)
		case '-':
			v = c.subtract(v, w)
		case '*':
			v = c.multiply(v, w)
		case '/':
			v = c.divide(v, w)
		case '^':
			v = c.power(v, w)
		}
	}
	return v
}

type negateNode struct{ operand node }

func (n *negateNode) eval(c *evaluation) Value {
	switch v := n.operand.eval(c).(type) {
	case Number:
		return v.neg()
	case DaysTimeDuration:
		return v.neg()
	case YearsMonthsDuration:
		return YearsMonthsDuration{-v.months}
	default:
		return c.warn(InvalidType, "Expected number but found '"+c.describe(v)+"'")
	}
}

// number gives the result of an operation on numbers, null if it is out of range.
func (c *evaluation) number(n Number, ok bool) Value {
	if !ok {
		return c.warn(InvalidType, "The result is out of the range of numbers")
	}
	c.weigh(n, 1)
	return n
}

// weigh pays for working on a number of many digits.
func (c *evaluation) weigh(n Number, times int) {
	if n.big != nil {
		c.spend(times * (1 + n.big.Coeff.BitLen()/64))
	}
}

// temporal gives the result of an operation on temporal values likewise.
func temporal[T Value](c *evaluation, v T, ok bool) Value {
	if !ok {
		return c.warn(InvalidType, "The result is out of the range of dates and durations")
	}
	return v
}

func (c *evaluation) cannot(verb string, a Value, preposition string, b Value) Value {
	return c.warn(InvalidType, "Can't "+verb+" '"+c.describe(a)+"' "+preposition+" '"+c.describe(b)+"'")
}

func (c *evaluation) add(a, b Value) Value {
	switch x := a.(type) {
	case Number:
		if y, ok := b.(Number); ok {
			c.weigh(y, 1)
			return c.number(x.add(y))
		}
	case String:
		if y, ok := b.(String); ok {
			return c.newText(string(x) + string(y))
		}
	case DaysTimeDuration:
		if y, ok := b.(DaysTimeDuration); ok {
			sum, ok := x.plus(y)
			return temporal(c, sum, ok)
		}
		return c.addDuration(b, a, a, b)
	case YearsMonthsDuration:
		if y, ok := b.(YearsMonthsDuration); ok {
			return c.months(x.months, y.months)
		}
		return c.addDuration(b, a, a, b)
	default:
		return c.addDuration(a, b, a, b)
	}
	return c.cannot("add", b, "to", a)
}

func (c *evaluation) months(a, b int64) Value {
	sum, ok := add64(a, b)
	return temporal(c, YearsMonthsDuration{sum}, ok && sum > -maxSeconds && sum < maxSeconds)
}

// addDuration adds a duration to a temporal value; left and right are the
// operands as they were written.
func (c *evaluation) addDuration(v, duration, left, right Value) Value {
	switch d := duration.(type) {
	case DaysTimeDuration:
		switch t := v.(type) {
		case Date:
			sum, ok := t.plus(d)
			return temporal(c, sum, ok)
		case Time:
			return t.plus(d)
		case DateTime:
			sum, ok := t.plus(d)
			return temporal(c, sum, ok)
		}
	case YearsMonthsDuration:
		switch t := v.(type) {
		case Date:
			sum, ok := t.addMonths(d.months)
			return temporal(c, sum, ok)
		case DateTime:
			sum, ok := t.plusMonths(d.months)
			return temporal(c, sum, ok)
		}
	}
	return c.cannot("add", right, "to", left)
}

func (c *evaluation) subtract(a, b Value) Value {
	switch y := b.(type) {
	case Number:
		if x, ok := a.(Number); ok {
			c.weigh(y, 1)
			return c.number(x.sub(y))
		}
	case DaysTimeDuration:
		switch a.(type) {
		case Date, Time, DateTime, DaysTimeDuration:
			return c.add(a, y.neg())
		}
	case YearsMonthsDuration:
		switch a.(type) {
		case Date, DateTime, YearsMonthsDuration:
			return c.add(a, YearsMonthsDuration{-y.months})
		}
	case Date:
		switch x := a.(type) {
		case Date:
			return x.atMidnight().minus(y.atMidnight())
		case DateTime:
			if x.zone != nil {
				return x.minus(y.midnightUTC())
			}
		}
	case Time:
		if x, ok := a.(Time); ok && x.Kind() == y.Kind() {
			return durationOf(0, x.utcNanos()-y.utcNanos())
		}
	case DateTime:
		if x, ok := a.(DateTime); ok && x.Kind() == y.Kind() {
			return x.minus(y)
		}
		if x, ok := a.(Date); ok && y.zone != nil {
			return x.midnightUTC().minus(y)
		}
	}
	return c.cannot("subtract", b, "from", a)
}

func (c *evaluation) multiply(a, b Value) Value {
	x, isNumber := a.(Number)
	switch y := b.(type) {
	case Number:
		switch d := a.(type) {
		case Number:
			c.weigh(y, 1)
			return c.number(d.mul(y))
		case DaysTimeDuration, YearsMonthsDuration:
			return c.scale(d, y)
		}
	case DaysTimeDuration, YearsMonthsDuration:
		if isNumber {
			return c.scale(y, x)
		}
	}
	return c.cannot("multiply", a, "by", b)
}

// scale multiplies a duration by a number without its decimals: the original
// does, P1D * 1.5 is P1D.
func (c *evaluation) scale(d Value, factor Number) Value {
	k, ok := factor.Int64()
	if !ok {
		return c.cannot("multiply", d, "by", factor)
	}
	if m, is := d.(YearsMonthsDuration); is {
		p, ok := mul64(m.months, k)
		return temporal(c, YearsMonthsDuration{p}, ok && p < maxSeconds && p > -maxSeconds)
	}
	p, ok := d.(DaysTimeDuration).number().mul(NewInt(k))
	if !ok {
		return temporal(c, DaysTimeDuration{}, false)
	}
	r, ok := durationOfNumber(p)
	return temporal(c, r, ok)
}

func (c *evaluation) divide(a, b Value) Value {
	switch y := b.(type) {
	case Number:
		if x, ok := a.(Number); ok {
			if y.Sign() == 0 {
				return c.cannot("divide", a, "by", b)
			}
			c.weigh(y, 2)
			return c.number(x.div(y))
		}
		return c.divideDuration(a, y)
	case DaysTimeDuration:
		if x, ok := a.(DaysTimeDuration); ok && y.sign() != 0 {
			return c.number(x.number().div(y.number()))
		}
	case YearsMonthsDuration:
		if x, ok := a.(YearsMonthsDuration); ok && y.months != 0 {
			return c.number(NewInt(x.months).div(NewInt(y.months)))
		}
	}
	return c.cannot("divide", a, "by", b)
}

// divideDuration divides by a number without its decimals, as scale multiplies.
func (c *evaluation) divideDuration(a Value, by Number) Value {
	k, ok := by.Int64()
	if !ok || k == 0 {
		return c.cannot("divide", a, "by", by)
	}
	switch x := a.(type) {
	case YearsMonthsDuration:
		return YearsMonthsDuration{x.months / k}
	case DaysTimeDuration:
		q, ok := x.number().div(NewInt(k))
		if !ok {
			return temporal(c, x, false)
		}
		r, ok := durationOfNumber(q)
		return temporal(c, r, ok)
	}
	return c.cannot("divide", a, "by", by)
}

func (c *evaluation) power(a, b Value) Value {
	x, ok1 := a.(Number)
	y, ok2 := b.(Number)
	if !ok1 || !ok2 {
		return c.cannot("raise", a, "to the power of", b)
	}
	if !y.IsInteger() {
		c.spend(transcendentalSteps * 10) // two of them, at the full precision
	}
	c.spend(20)
	c.weigh(x, 60)
	r, ok := x.pow(y)
	if !ok {
		return c.failed("'%s' raised to the power of '%s' is not a number in range", x, y)
	}
	return r
}
