package feel

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
)

var otherFunctions = map[string]builtinFunc{
	"is(value1, value2)": is,
	"not(negand)": func(c *evaluation, a []Value) (Value, bool) {
		b, ok := a[0].(Bool)
		return !b, ok
	},
	"is defined(value)": func(c *evaluation, a []Value) (Value, bool) { return Bool(a[0].Kind() != KindNull), true },
	"get or else(value, default)": func(c *evaluation, a []Value) (Value, bool) {
		if a[0].Kind() == KindNull {
			return a[1], true
		}
		return a[0], true
	},
	"assert(value, condition)": func(c *evaluation, a []Value) (Value, bool) {
		return c.assert(a, "The condition is not fulfilled"), true
	},
	"assert(value, condition, cause)": func(c *evaluation, a []Value) (Value, bool) {
		cause, ok := a[2].(String)
		if !ok {
			cause = String(fmt.Sprintf("Illegal arguments: '%s', '%s', '%s'", c.describe(a[0]), c.describe(a[1]), c.describe(a[2])))
		}
		return c.assert(a, string(cause)), true
	},
	"uuid()": func(c *evaluation, a []Value) (Value, bool) {
		if c.env.UUID != nil {
			return String(c.env.UUID()), true
		}
		return String(newUUID()), true
	},
}

// assert gives the value if the condition is true, and else fails the evaluation.
func (c *evaluation) assert(a []Value, cause string) Value {
	if a[1] == Value(Bool(true)) {
		return a[0]
	}
	c.warn(AssertFailure, cause)
	c.fail(AssertionFail, cause)
	return null
}

func (c *evaluation) random() Value {
	random := mathrand.Float64
	if c.env.Random != nil {
		random = c.env.Random
	}
	n, _ := fromFloat(random()) // a number in [0,1) is finite
	return n
}

// newUUID makes a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// is says whether two values are the same: of the same type, and temporal values
// with the same parts and offset (DMN 1.3, table 79).
func is(c *evaluation, a []Value) (Value, bool) {
	switch x := a[0].(type) {
	case Time:
		y, ok := a[1].(Time)
		return Bool(ok && x.Kind() == y.Kind() && x.nanos == y.nanos && x.offsetSeconds() == y.offsetSeconds()), true
	case DateTime:
		y, ok := a[1].(DateTime)
		return Bool(ok && x.Kind() == y.Kind() && x.date == y.date && x.nanos == y.nanos && x.offset == y.offset), true
	}
	eq, ok := c.equal(a[0], a[1])
	return Bool(ok && eq), true
}
