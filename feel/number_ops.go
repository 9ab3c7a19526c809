package feel

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

// decimalContext gives the rules for an operation whose left operand is n.
func (n Number) decimalContext() *apd.Context {
	if n.big == nil || n.big.Coeff.BitLen() <= 112 {
		return &context34
	}
	c := context34
	c.Precision = uint32(max(precision, n.big.NumDigits()))
	return &c
}

var context34 = apd.Context{
	Precision: precision, MaxExponent: maxAdjusted, MinExponent: -maxAdjusted, Rounding: apd.RoundHalfEven,
}

func (n Number) add(m Number) (Number, bool) {
	if n.big == nil && m.big == nil {
		a, b, scale, ok := n.coef, m.coef, n.scale, true
		if n.scale != m.scale {
			a, b, scale, ok = align(n, m)
		}
		if s := a + b; ok && (s > a) == (b > 0) {
			return Number{coef: s, scale: scale}, true
		}
	}
	var d apd.Decimal
	if _, err := n.decimalContext().Add(&d, n.decimal(), m.decimal()); err != nil {
		return Number{}, false
	}
	return fromDecimal(&d)
}

func (n Number) sub(m Number) (Number, bool) {
	if m.big == nil && m.coef != math.MinInt64 {
		return n.add(Number{coef: -m.coef, scale: m.scale})
	}
	var d apd.Decimal
	if _, err := n.decimalContext().Sub(&d, n.decimal(), m.decimal()); err != nil {
		return Number{}, false
	}
	return fromDecimal(&d)
}

func (n Number) neg() Number {
	if n.big == nil && n.coef != math.MinInt64 {
		return Number{coef: -n.coef, scale: n.scale}
	}
	var d apd.Decimal
	d.Neg(n.decimal())
	r, _ := fromDecimal(&d) // finite and in range as n is
	return r
}

func (n Number) abs() Number {
	if n.Sign() < 0 {
		return n.neg()
	}
	return n
}

func (n Number) mul(m Number) (Number, bool) {
	if n.big == nil && m.big == nil && n.scale+m.scale <= maxSmallScale {
		if p, ok := mul64(n.coef, m.coef); ok {
			return Number{coef: p, scale: n.scale + m.scale}, true
		}
	}
	var d apd.Decimal
	if _, err := n.decimalContext().Mul(&d, n.decimal(), m.decimal()); err != nil {
		return Number{}, false
	}
	return fromDecimal(&d)
}

// div divides; m must not be zero. An exact quotient has the scale of n less
// that of m, or as many decimals as it needs (java.math.BigDecimal.divide).
func (n Number) div(m Number) (Number, bool) {
	if n.big == nil && m.big == nil && n.scale >= m.scale && m.coef != -1 && n.coef%m.coef == 0 {
		return Number{coef: n.coef / m.coef, scale: n.scale - m.scale}, true
	}
	return n.quo(m, n.decimalContext())
}

func (n Number) quo(m Number, ctx *apd.Context) (Number, bool) {
	x, y := n.decimal(), m.decimal()
	var d apd.Decimal
	cond, err := ctx.Quo(&d, x, y)
	if err != nil || d.Form != apd.Finite {
		return Number{}, false
	}
	if !cond.Inexact() {
		preferred := x.Exponent - y.Exponent
		d.Reduce(&d)
		if d.Exponent > preferred && int64(d.Exponent-preferred)+d.NumDigits() <= int64(ctx.Precision) {
			padded(&d, preferred)
		}
	}
	return fromDecimal(&d)
}

// pow raises n to m: to a whole power exactly up to the precision, by the
// algorithm of ANSI X3.274 as java.math.BigDecimal.pow does, to any other
// power through doubles. It says no where there is no real result.
func (n Number) pow(m Number) (Number, bool) {
	if !m.IsInteger() {
		return nearest(math.Pow(n.Float64(), m.Float64()), func(ctx *apd.Context, d *apd.Decimal) error {
			_, err := ctx.Pow(d, n.decimal(), m.decimal())
			return err
		})
	}
	k, ok := m.Int64()
	if !ok || k > 999999999 || k < -999999999 {
		return Number{}, false
	}
	if k == 0 {
		return NewInt(1), true
	}
	ctx := *n.decimalContext()
	final := ctx.Precision
	ctx.Precision += uint32(len(NewInt(k).abs().String())) + 1
	acc, ok := powWhole(n, absU(k), &ctx)
	if !ok {
		return Number{}, false
	}
	if k < 0 {
		if acc.IsZero() {
			return Number{}, false
		}
		r, ok := NewInt(1).quo(Number{big: acc}, &ctx)
		if !ok {
			return Number{}, false
		}
		acc = r.Decimal()
	}
	ctx.Precision = final
	if _, err := ctx.Round(acc, acc); err != nil {
		return Number{}, false
	}
	return fromDecimal(acc)
}

func powWhole(n Number, k uint64, ctx *apd.Context) (*apd.Decimal, bool) {
	x, acc := n.decimal(), apd.New(1, 0)
	for bit := uint64(1) << 30; bit > 0; bit >>= 1 {
		if acc.Coeff.IsUint64() && acc.Coeff.Uint64() == 1 && acc.Exponent == 0 && !acc.Negative && k&bit == 0 {
			continue
		}
		if _, err := ctx.Mul(acc, acc, acc); err != nil {
			return nil, false
		}
		if k&bit != 0 {
			if _, err := ctx.Mul(acc, acc, x); err != nil {
				return nil, false
			}
		}
		if acc.Form != apd.Finite {
			return nil, false
		}
	}
	return acc, true
}

// maxScale is the greatest scale of a rounding function (DMN 1.3, table 77).
const maxScale = 6176

// withScale rounds n to the scale, which may be negative, and pads it to it.
func (n Number) withScale(scale int64, how apd.Rounder) (Number, bool) {
	if n.big == nil && int64(n.scale) == scale {
		return n, true
	}
	x := n.decimal()
	if scale > maxAdjusted && scale <= maxScale && int64(x.Exponent) >= -scale {
		return n, true // nothing to round, and more zeros than there is room for
	}
	if scale > maxAdjusted || scale < -maxAdjusted {
		return Number{}, false
	}
	digits := int64(x.Exponent) + scale + x.NumDigits()
	ctx := apd.Context{
		Precision: uint32(max(digits+1, 1)), MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: how,
	}
	var d apd.Decimal
	if _, err := ctx.Quantize(&d, x, int32(-scale)); err != nil {
		return Number{}, false
	}
	return fromDecimal(&d)
}

func (n Number) floor() Number {
	if n.big == nil {
		q := n.coef / pow10[n.scale]
		if n.coef < 0 && n.coef%pow10[n.scale] != 0 {
			q--
		}
		return NewInt(q)
	}
	if n.big.Exponent >= 0 {
		return n
	}
	r, _ := n.withScale(0, apd.RoundFloor) // a number in range has a floor in range
	return r
}

// mod gives n - m*floor(n/m); m must not be zero (DMN 1.3, table 77).
func (n Number) mod(m Number) (Number, bool) {
	if n.big == nil && m.big == nil && n.scale == 0 && m.scale == 0 && m.coef != -1 {
		r := n.coef % m.coef
		if r != 0 && (r < 0) != (m.coef < 0) {
			r += m.coef
		}
		return NewInt(r), true
	}
	q, ok := n.div(m)
	if !ok {
		return Number{}, false
	}
	p, ok := m.mul(q.floor())
	if !ok {
		return Number{}, false
	}
	return n.sub(p)
}

// nearest gives the double next to a result that is computed with more digits.
// The math package's last digit is not always right, and differs between
// machines; its estimate only says where there is something to compute.
func nearest(estimate float64, exact func(ctx *apd.Context, d *apd.Decimal) error) (Number, bool) {
	if estimate == 0 || math.IsInf(estimate, 0) || math.IsNaN(estimate) {
		return fromFloat(estimate)
	}
	ctx := apd.Context{Precision: 25, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: apd.RoundHalfEven}
	var d apd.Decimal
	if err := exact(&ctx, &d); err != nil || d.Form != apd.Finite {
		return fromFloat(estimate)
	}
	f, err := d.Float64()
	if err != nil {
		f = estimate
	}
	return fromFloat(f)
}
