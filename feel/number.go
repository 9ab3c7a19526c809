package feel

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// Number is a decimal. Results are rounded half-even to 34 digits (DMN 1.3,
// 10.3.2.3.1), or to as many as the left operand was written with if these are
// more, as the original does. It keeps its scale: 1.50 and 1.5 are equal but
// their texts differ.
//
// A number of up to 18 digits and 18 decimals is held in coef and scale, which
// is what makes plain arithmetic fast; big holds all others.
type Number struct {
	coef  int64 // the value is coef / 10^scale; unused if big is set
	scale int32 // 0 to maxSmallScale
	big   *apd.Decimal
}

const (
	precision     = 34
	maxAdjusted   = 6144 // the exponents of decimal128 bound all numbers
	maxSmallScale = 18
)

var pow10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// NewInt makes a whole number.
func NewInt(i int64) Number { return Number{coef: i} }

// Kind gives KindNumber.
func (Number) Kind() Kind { return KindNumber }

// fromDecimal takes over d. It says no if d is not finite or out of range.
func fromDecimal(d *apd.Decimal) (Number, bool) {
	if d.Form != apd.Finite {
		return Number{}, false
	}
	if d.IsZero() {
		d.Negative = false
		d.Exponent = max(min(d.Exponent, maxAdjusted), -maxAdjusted)
	}
	if d.Exponent <= 0 && d.Exponent >= -maxSmallScale && d.Coeff.IsInt64() {
		c := d.Coeff.Int64()
		if d.Negative {
			c = -c
		}
		return Number{coef: c, scale: -d.Exponent}, true
	}
	if adj := int64(d.Exponent) + d.NumDigits() - 1; adj > maxAdjusted || adj < -maxAdjusted {
		return Number{}, false
	}
	return Number{big: d}, true
}

// decimal gives the number for apd; it must not be changed if the number is big.
func (n Number) decimal() *apd.Decimal {
	if n.big != nil {
		return n.big
	}
	return apd.New(n.coef, -n.scale)
}

// Decimal gives a copy of the number as an apd.Decimal.
func (n Number) Decimal() *apd.Decimal { return new(apd.Decimal).Set(n.decimal()) }

// fromFloat makes the shortest decimal that reads back as f, scaled as Java's
// Double.toString writes it. It says no for infinities and NaN.
func fromFloat(f float64) (Number, bool) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return Number{}, false
	}
	var buf [32]byte
	b := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	n, ok := parseDecimal(b)
	if !ok {
		return Number{}, false
	}
	return n.asDouble()
}

// asDouble gives the number the scale that Java's Double.toString gives a
// double of this value: always one decimal at least.
func (n Number) asDouble() (Number, bool) {
	var d apd.Decimal
	d.Reduce(n.decimal())
	if d.IsZero() {
		return Number{scale: 1}, true
	}
	digits := d.NumDigits()
	adj := int64(d.Exponent) + digits - 1
	scale := max(digits-1, 1) - adj
	if adj >= -3 && adj < 7 {
		scale = max(digits-1-adj, 1)
	}
	return fromDecimal(padded(&d, int32(-scale)))
}

// padded lowers the exponent of d to exp, which must not be above it.
func padded(d *apd.Decimal, exp int32) *apd.Decimal {
	if exp < d.Exponent {
		d.Coeff.Mul(&d.Coeff, bigPow10(d.Exponent-exp))
		d.Exponent = exp
	}
	return d
}

func bigPow10(n int32) *apd.BigInt {
	var b apd.BigInt
	return b.Exp(apd.NewBigInt(10), apd.NewBigInt(int64(n)), nil)
}

// IsInteger says whether the number is whole: 3 and 3.00 are.
func (n Number) IsInteger() bool {
	if n.big == nil {
		return n.scale == 0 || n.coef%pow10[n.scale] == 0
	}
	if n.big.Exponent >= 0 {
		return true
	}
	var d apd.Decimal
	d.Reduce(n.big)
	return d.Exponent >= 0
}

// Int64 gives the number without its decimals, and whether it fits.
func (n Number) Int64() (int64, bool) {
	if n.big == nil {
		return n.coef / pow10[n.scale], true
	}
	if int64(n.big.Exponent)+n.big.NumDigits() > 20 {
		return 0, false
	}
	var whole, frac apd.Decimal
	n.big.Modf(&whole, &frac)
	i, err := whole.Int64()
	return i, err == nil
}

// Float64 gives the nearest double.
func (n Number) Float64() float64 {
	if n.big == nil && n.scale == 0 {
		return float64(n.coef)
	}
	f, _ := strconv.ParseFloat(n.String(), 64) // an error is a range error, f the infinity
	return f
}

// Sign gives -1, 0 or 1.
func (n Number) Sign() int {
	if n.big != nil {
		return n.big.Sign()
	}
	switch {
	case n.coef < 0:
		return -1
	case n.coef > 0:
		return 1
	}
	return 0
}

// Cmp gives -1, 0 or 1 as n is less than, equal to or greater than m.
func (n Number) Cmp(m Number) int {
	if n.big == nil && m.big == nil {
		a, b := n.coef, m.coef
		if n.scale != m.scale {
			var ok bool
			if a, b, _, ok = align(n, m); !ok {
				return n.decimal().Cmp(m.decimal())
			}
		}
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	return n.decimal().Cmp(m.decimal())
}

// align gives the coefficients of two small numbers at their larger scale.
func align(n, m Number) (a, b int64, scale int32, ok bool) {
	a, b = n.coef, m.coef
	if n.scale < m.scale {
		a, ok = mul64(a, pow10[m.scale-n.scale])
		return a, b, m.scale, ok
	}
	b, ok = mul64(b, pow10[n.scale-m.scale])
	return a, b, n.scale, ok
}

func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(absU(a), absU(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func absU(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}
