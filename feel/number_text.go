package feel

import (
	"fmt"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// ParseNumber reads a decimal: digits with an optional sign, decimals and
// exponent.
func ParseNumber(s string) (Number, error) {
	n, ok := parseDecimal([]byte(s))
	if !ok {
		return Number{}, fmt.Errorf("parse number: '%s' is not a number in range", s)
	}
	return n, nil
}

// parseDecimal reads [+-]digits[.digits][e[+-]digits]; of the digits before
// and after the point one side may be missing.
func parseDecimal(b []byte) (Number, bool) {
	neg, i := false, 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg, i = b[i] == '-', i+1
	}
	var coef int64
	digits, scale, small := 0, int32(0), true
	for point := false; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		digits++
		if coef >= math.MaxInt64/10-1 {
			small = false
		}
		coef = coef*10 + int64(c-'0')
		if point {
			scale++
		}
	}
	if digits == 0 {
		return Number{}, false
	}
	if i == len(b) && small && scale <= maxSmallScale {
		if neg {
			coef = -coef
		}
		return Number{coef: coef, scale: scale}, true
	}
	return parseBig(b, i)
}

// parseBig reads what parseDecimal found to be a number up to the exponent at b[i:].
func parseBig(b []byte, i int) (Number, bool) {
	if i < len(b) {
		if b[i] != 'e' && b[i] != 'E' {
			return Number{}, false
		}
		// Eight digits are more than enough, and keep apd within its range.
		e, err := strconv.ParseInt(string(b[i+1:]), 10, 32)
		if err != nil || e > 99999 || e < -99999 {
			return Number{}, false
		}
	}
	if len(b) > 2*maxAdjusted {
		return Number{}, false
	}
	d, _, err := apd.NewFromString(string(b))
	if err != nil {
		return Number{}, false
	}
	return fromDecimal(d)
}

// String gives the number as the string function does: plain, or with an
// exponent for a negative scale and for very small numbers
// (java.math.BigDecimal.toString).
func (n Number) String() string { return string(n.append(nil)) }

func (n Number) append(dst []byte) []byte {
	if n.big == nil && n.scale == 0 {
		return strconv.AppendInt(dst, n.coef, 10)
	}
	neg, digits, exp := n.parts()
	if neg {
		dst = append(dst, '-')
	}
	adj := exp + len(digits) - 1
	if exp <= 0 && adj >= -6 {
		return appendPlain(dst, digits, exp)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	dst = append(dst, 'E')
	if adj >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(adj), 10)
}

// parts gives the sign, the digits and the exponent of the last digit.
func (n Number) parts() (neg bool, digits []byte, exp int) {
	if n.big == nil {
		return n.coef < 0, strconv.AppendUint(nil, absU(n.coef), 10), int(-n.scale)
	}
	return n.big.Negative, n.big.Coeff.Append(nil, 10), int(n.big.Exponent)
}

// appendPlain writes digits × 10^exp without an exponent.
func appendPlain(dst, digits []byte, exp int) []byte {
	if exp >= 0 {
		dst = append(dst, digits...)
		for ; exp > 0; exp-- {
			dst = append(dst, '0')
		}
		return dst
	}
	point := len(digits) + exp
	if point <= 0 {
		dst = append(dst, '0', '.')
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

// appendJSON writes a whole number with all its digits, and any other as the
// double next to it, in Java's form: 0.5, 1.0E-7, 1.0E17. The original wraps
// whole numbers at 64 bits.
func (n Number) appendJSON(dst []byte) []byte {
	if n.big == nil && n.scale == 0 {
		return strconv.AppendInt(dst, n.coef, 10)
	}
	if n.IsInteger() {
		var d apd.Decimal
		d.Reduce(n.decimal())
		neg, digits, exp := (Number{big: &d}).parts()
		if neg {
			dst = append(dst, '-')
		}
		return appendPlain(dst, digits, exp)
	}
	f := n.Float64()
	if d, ok := fromFloat(f); ok && f != 0 {
		return appendDouble(dst, f, d)
	}
	return n.append(dst) // beyond the range of doubles
}

// appendDouble writes f, which is d, as Java's Double.toString does.
func appendDouble(dst []byte, f float64, d Number) []byte {
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		return d.append(dst)
	}
	neg, digits, exp := d.parts()
	if neg {
		dst = append(dst, '-')
	}
	adj := exp + len(digits) - 1
	dst = append(append(dst, digits[0], '.'), digits[1:]...)
	return strconv.AppendInt(append(dst, 'E'), int64(adj), 10)
}
