package feel

import "strings"

// reader reads fixed parts of temporal texts; after a failure bad stays true.
type reader struct {
	s   string
	pos int
	bad bool
}

func (r *reader) done() bool { return !r.bad && r.pos == len(r.s) }

func (r *reader) peek() byte {
	if r.pos < len(r.s) {
		return r.s[r.pos]
	}
	return 0
}

func (r *reader) accept(c byte) bool {
	if r.peek() == c && r.pos < len(r.s) {
		r.pos++
		return true
	}
	return false
}

func (r *reader) expect(c byte) {
	if !r.accept(c) {
		r.bad = true
	}
}

// digits reads lo to hi digits.
func (r *reader) digits(lo, hi int) (v int64, n int) {
	for n < hi && r.pos < len(r.s) && isDigit(r.s[r.pos]) {
		v = v*10 + int64(r.s[r.pos]-'0')
		r.pos++
		n++
	}
	if n < lo {
		r.bad = true
	}
	return v, n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// ParseDate reads YYYY-MM-DD; years may have up to nine digits and a minus.
func ParseDate(s string) (Date, bool) {
	r := reader{s: s}
	d := r.date()
	return d, r.done()
}

func (r *reader) date() Date {
	neg := r.accept('-')
	plus := !neg && r.accept('+')
	start := r.pos
	y, n := r.digits(4, 9)
	if n > 4 && r.s[start] == '0' || n == 4 && plus {
		r.bad = true
	}
	r.expect('-')
	m, _ := r.digits(2, 2)
	r.expect('-')
	day, _ := r.digits(2, 2)
	if neg {
		y = -y
	}
	d, ok := NewDate(int(y), int(m), int(day))
	r.bad = r.bad || !ok
	return d
}

// ParseTime reads HH:MM[:SS[.fraction]] with an optional Z, offset or @zone;
// a T may stand before it, and 24:00:00 is midnight.
func ParseTime(s string) (Time, bool) {
	r := reader{s: s}
	r.accept('T')
	n := r.timeOfDay(true)
	z := r.zone()
	return Time{n, z}, r.done()
}

func (r *reader) timeOfDay(allow24 bool) int64 {
	h, _ := r.digits(2, 2)
	r.expect(':')
	m, _ := r.digits(2, 2)
	var s, frac int64
	if r.accept(':') {
		s, _ = r.digits(2, 2)
		if r.accept('.') {
			frac = r.fraction()
		}
	}
	if allow24 && h == 24 && m == 0 && s == 0 && frac == 0 {
		return 0
	}
	if h > 23 || m > 59 || s > 59 {
		r.bad = true
	}
	return ((h*60+m)*60+s)*nanosPerSecond + frac
}

// fraction reads one to nine digits as nanoseconds.
func (r *reader) fraction() int64 {
	v, n := r.digits(1, 9)
	for ; n < 9; n++ {
		v *= 10
	}
	return v
}

// zone reads the rest as Z, an offset or @zone; nil if there is nothing.
func (r *reader) zone() *zone {
	switch c := r.peek(); {
	case r.bad || r.pos == len(r.s):
		return nil
	case c == 'Z':
		r.pos++
		return &zone{}
	case c == '+' || c == '-':
		r.pos++
		return &zone{offset: r.offset(c == '-')}
	case c == '@':
		z := findZone(r.s[r.pos+1:])
		r.pos = len(r.s)
		r.bad = z == nil
		return z
	}
	r.bad = true
	return nil
}

func (r *reader) offset(neg bool) int32 {
	h, _ := r.digits(2, 2)
	r.expect(':')
	m, _ := r.digits(2, 2)
	var s int64
	if r.accept(':') {
		s, _ = r.digits(2, 2)
	}
	off := (h*60+m)*60 + s
	if off > 18*3600 || m > 59 || s > 59 {
		r.bad = true
	}
	if neg {
		off = -off
	}
	return int32(off)
}

// ParseDateTime reads a date, optionally T and a time as ParseTime reads it.
func ParseDateTime(s string) (DateTime, bool) {
	r := reader{s: s}
	t := DateTime{date: r.date()}
	if r.done() {
		return t, true
	}
	r.expect('T')
	t.nanos = r.timeOfDay(false)
	if z := r.zone(); z != nil {
		t = t.inZone(z)
	}
	return t, r.done()
}

// ParseDaysTimeDuration reads [-]PnDTnHnMn.nS, where any part may be missing
// or negative but not all.
func ParseDaysTimeDuration(s string) (DaysTimeDuration, bool) {
	r := reader{s: s}
	neg := r.accept('-')
	r.expect('P')
	sum, parts := DaysTimeDuration{}, 0
	if r.pos < len(s) && r.peek() != 'T' {
		parts += r.durationPart(&sum, 'D', secondsPerDay)
	}
	if r.accept('T') {
		rest := r.s[r.pos:]
		for _, u := range []struct {
			unit byte
			secs int64
		}{{'H', 3600}, {'M', 60}, {'S', 1}} {
			if strings.IndexByte(rest, u.unit) >= 0 {
				parts += r.durationPart(&sum, u.unit, u.secs)
			}
		}
		r.bad = r.bad || rest == ""
	}
	if neg {
		sum = sum.neg()
	}
	return sum, r.done() && parts > 0
}

// durationPart reads a number and its unit and adds it to sum.
func (r *reader) durationPart(sum *DaysTimeDuration, unit byte, secs int64) int {
	neg := r.accept('-')
	v, _ := r.digits(1, 15)
	var nanos int64
	if unit == 'S' && r.accept('.') {
		nanos = r.fraction()
	}
	r.expect(unit)
	total, ok := mul64(v, secs)
	part := DaysTimeDuration{total, int32(nanos)}
	if neg {
		part = part.neg()
	}
	s, fits := sum.plus(part)
	r.bad = r.bad || !ok || !fits
	*sum = s
	return 1
}

// ParseYearsMonthsDuration reads [-]PnYnM, where one part may be missing and
// parts may be negative.
func ParseYearsMonthsDuration(s string) (YearsMonthsDuration, bool) {
	r := reader{s: s}
	neg := r.accept('-')
	r.expect('P')
	var months int64
	parts := 0
	for _, u := range []struct {
		unit   byte
		months int64
	}{{'Y', 12}, {'M', 1}} {
		if strings.IndexByte(s, u.unit) < 0 {
			continue
		}
		minus := r.accept('-')
		v, _ := r.digits(1, 10)
		r.expect(u.unit)
		r.bad = r.bad || v > 1<<31-1
		if minus {
			v = -v
		}
		months += v * u.months
		parts++
	}
	if neg {
		months = -months
	}
	return YearsMonthsDuration{months}, r.done() && parts > 0
}
