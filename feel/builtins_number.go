package feel

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

var numberFunctions = map[string]builtinFunc{
	"decimal(n, scale)":         rounding(apd.RoundHalfEven),
	"floor(n)":                  roundingTo0(apd.RoundFloor),
	"floor(n, scale)":           rounding(apd.RoundFloor),
	"ceiling(n)":                roundingTo0(apd.RoundCeiling),
	"ceiling(n, scale)":         rounding(apd.RoundCeiling),
	"round up(n, scale)":        rounding(apd.RoundUp),
	"round down(n, scale)":      rounding(apd.RoundDown),
	"round half up(n, scale)":   rounding(apd.RoundHalfUp),
	"round half down(n, scale)": rounding(apd.RoundHalfDown),
	"abs(number|n)":             absOf,
	"modulo(dividend, divisor)": modulo,
	"sqrt(number)": func(c *evaluation, a []Value) (Value, bool) {
		n, ok := a[0].(Number)
		if !ok || n.Sign() < 0 {
			return null, false
		}
		return fromFloat(math.Sqrt(n.Float64()))
	},
	"log(number)":     transcendental("log", math.Log, (*apd.Context).Ln),
	"exp(number)":     transcendental("exp", math.Exp, (*apd.Context).Exp),
	"odd(number)":     parity(1),
	"even(number)":    parity(0),
	"random number()": func(c *evaluation, a []Value) (Value, bool) { return c.random(), true },
}

// transcendentalSteps is what a logarithm costs, measured in additions.
const transcendentalSteps = 100

func rounding(how apd.Rounder) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		n, ok1 := a[0].(Number)
		scale, ok2 := whole(a[1])
		if !ok1 || !ok2 {
			return null, false
		}
		r, ok := n.withScale(scale, how)
		c.weigh(r, 1)
		if !ok {
			c.problem = "The scale " + NewInt(scale).String() + " is out of range"
		}
		return r, ok
	}
}

func roundingTo0(how apd.Rounder) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		n, ok := a[0].(Number)
		if !ok {
			return null, false
		}
		return n.withScale(0, how)
	}
}

func absOf(c *evaluation, a []Value) (Value, bool) {
	switch v := a[0].(type) {
	case Number:
		return v.abs(), true
	case DaysTimeDuration:
		if v.sign() < 0 {
			return v.neg(), true
		}
		return v, true
	case YearsMonthsDuration:
		if v.months < 0 {
			return YearsMonthsDuration{-v.months}, true
		}
		return v, true
	}
	return null, false
}

func modulo(c *evaluation, a []Value) (Value, bool) {
	n, ok1 := a[0].(Number)
	m, ok2 := a[1].(Number)
	if !ok1 || !ok2 {
		return null, false
	}
	if m.Sign() == 0 {
		return c.failed("modulo of '%s' by zero", n), true
	}
	return n.mod(m)
}

// transcendental makes a function whose value is a double, as in the original.
// Where it has no finite value the evaluation fails, as there.
func transcendental(
	name string, estimate func(float64) float64,
	exact func(ctx *apd.Context, d, x *apd.Decimal) (apd.Condition, error),
) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		n, ok := a[0].(Number)
		if !ok {
			return null, false
		}
		c.spend(transcendentalSteps)
		r, ok := nearest(estimate(n.Float64()), func(ctx *apd.Context, d *apd.Decimal) error {
			_, err := exact(ctx, d, n.decimal())
			return err
		})
		if !ok {
			return c.failed("%s of '%s' is no finite number", name, n), true
		}
		return r, true
	}
}

func parity(remainder int64) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		n, ok := a[0].(Number)
		if !ok {
			return null, false
		}
		r, ok := n.mod(NewInt(2))
		return Bool(ok && r.Cmp(NewInt(remainder)) == 0), true
	}
}
