package feel

import "strconv"

func appendPadded(b []byte, v, width int) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	var buf [20]byte
	d := strconv.AppendInt(buf[:0], int64(v), 10)
	for i := len(d); i < width; i++ {
		b = append(b, '0')
	}
	return append(b, d...)
}

// appendDate writes YYYY-MM-DD, with a sign before years of more than four digits.
func appendDate(b []byte, d Date) []byte {
	if d.year > 9999 {
		b = append(b, '+')
	}
	b = appendPadded(b, int(d.year), 4)
	b = appendPadded(append(b, '-'), int(d.month), 2)
	return appendPadded(append(b, '-'), int(d.day), 2)
}

func appendHM(b []byte, nanos int64) []byte {
	min := int(nanos / nanosPerSecond / 60)
	b = appendPadded(b, min/60, 2)
	return appendPadded(append(b, ':'), min%60, 2)
}

// appendClock writes HH:MM:SS and the fraction without trailing zeros.
func appendClock(b []byte, nanos int64) []byte {
	b = appendHM(b, nanos)
	b = appendPadded(append(b, ':'), int(nanos/nanosPerSecond%60), 2)
	return appendFraction(b, nanos%nanosPerSecond, 1)
}

// appendJavaClock writes what java.time.LocalTime.toString does: no zero
// seconds, and the fraction in groups of three digits.
func appendJavaClock(b []byte, nanos int64) []byte {
	b = appendHM(b, nanos)
	if nanos%(60*nanosPerSecond) == 0 {
		return b
	}
	b = appendPadded(append(b, ':'), int(nanos/nanosPerSecond%60), 2)
	return appendFraction(b, nanos%nanosPerSecond, 3)
}

// appendFraction writes nanoseconds after a point without trailing zeros, the
// number of digits being a multiple of group.
func appendFraction(b []byte, nanos int64, group int) []byte {
	if nanos == 0 {
		return b
	}
	digits := 9
	for p := pow10[group]; nanos%p == 0; nanos /= p {
		digits -= group
	}
	return appendPadded(append(b, '.'), int(nanos), digits)
}

// String gives the date as YYYY-MM-DD.
func (d Date) String() string { return string(appendDate(nil, d)) }

// String gives the time as the string function does: "10:00:00@Europe/Berlin".
func (t Time) String() string {
	b := appendClock(nil, t.nanos)
	if t.zone != nil {
		b = append(b, t.zone.text()...)
	}
	return string(b)
}

// String gives the date and time as the string function does:
// "2020-01-02T10:00:00@Europe/Berlin".
func (t DateTime) String() string {
	b := append(appendDate(nil, t.date), 'T')
	b = appendClock(b, t.nanos)
	if t.zone != nil {
		b = append(b, t.zone.text()...)
	}
	return string(b)
}

// javaText gives the time as it leaves in JSON: "10:00", but "10:00:00Z".
func (t Time) javaText() string {
	if t.zone == nil {
		return string(appendJavaClock(nil, t.nanos))
	}
	return t.String()
}

// javaText gives java.time's text: "2020-01-02T10:00+01:00[Europe/Berlin]".
func (t DateTime) javaText() string {
	b := append(appendDate(nil, t.date), 'T')
	b = appendJavaClock(b, t.nanos)
	if t.zone != nil {
		b = append(b, offsetText(t.offset)...)
		if t.zone.loc != nil {
			b = append(append(append(b, '['), t.zone.name...), ']')
		}
	}
	return string(b)
}

// String gives the duration as the string function does: "-P1DT2H", "P0D" for
// none, without the fraction of a second.
func (d DaysTimeDuration) String() string {
	days, h, m, s := d.parts()
	if days == 0 && h == 0 && m == 0 && s == 0 {
		return "P0D"
	}
	var b []byte
	if d.sign() < 0 {
		b, days, h, m, s = append(b, '-'), -days, -h, -m, -s
	}
	b = appendUnit(append(b, 'P'), days, 'D')
	if h != 0 || m != 0 || s != 0 {
		b = append(b, 'T')
	}
	return string(appendUnit(appendUnit(appendUnit(b, h, 'H'), m, 'M'), s, 'S'))
}

func appendUnit(b []byte, v int64, unit byte) []byte {
	if v == 0 {
		return b
	}
	return append(strconv.AppendInt(b, v, 10), unit)
}

// javaText gives java.time.Duration's text: "PT24H", "PT-1H-30M", "PT0S".
func (d DaysTimeDuration) javaText() string {
	if d.sign() == 0 {
		return "PT0S"
	}
	days, h, m, s := d.parts()
	b := appendUnit([]byte("PT"), days*24+h, 'H')
	b = appendUnit(b, m, 'M')
	if s == 0 && d.nanos == 0 {
		return string(b)
	}
	frac := int64(d.nanos)
	if d.seconds < 0 && frac > 0 {
		frac = nanosPerSecond - frac
		if s == 0 {
			b = append(b, '-')
		}
	}
	b = appendFraction(strconv.AppendInt(b, s, 10), frac, 1)
	return string(append(b, 'S'))
}

// String gives the duration as the string function does: "-P1Y2M", "P0Y".
func (d YearsMonthsDuration) String() string {
	if d.months < 0 {
		return "-" + YearsMonthsDuration{-d.months}.String()
	}
	if d.months == 0 {
		return "P0Y"
	}
	return string(appendUnit(appendUnit([]byte{'P'}, d.months/12, 'Y'), d.months%12, 'M'))
}

// javaText gives java.time.Period's text: "P-2Y-1M", "P0D" for none.
func (d YearsMonthsDuration) javaText() string {
	if d.months == 0 {
		return "P0D"
	}
	return string(appendUnit(appendUnit([]byte{'P'}, d.months/12, 'Y'), d.months%12, 'M'))
}
