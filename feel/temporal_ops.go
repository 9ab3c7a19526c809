package feel

// offsetSeconds gives the offset of a time of day.
func (t Time) offsetSeconds() int32 {
	if t.zone == nil {
		return 0
	}
	if t.zone.loc != nil {
		return t.zone.standardOffset()
	}
	return t.zone.offset
}

// utcNanos gives the nanoseconds since midnight UTC, which may be out of the day.
func (t Time) utcNanos() int64 { return t.nanos - int64(t.offsetSeconds())*nanosPerSecond }

// plus moves the time of day on, around midnight if need be.
func (t Time) plus(d DaysTimeDuration) Time {
	_, sec := floorDiv(d.seconds, secondsPerDay)
	_, n := floorDiv(t.nanos+sec*nanosPerSecond+int64(d.nanos), nanosPerDay)
	t.nanos = n
	return t
}

// plus moves the instant on by an exact length of time.
func (t DateTime) plus(d DaysTimeDuration) (DateTime, bool) {
	if d.seconds > maxDurationSeconds || d.seconds < -maxDurationSeconds {
		return DateTime{}, false
	}
	n := t.nanos%nanosPerSecond + int64(d.nanos)
	sec := t.epochSecond() + d.seconds + n/nanosPerSecond
	n %= nanosPerSecond
	z := t.zone
	if z == nil {
		z = &zone{}
	}
	day, _ := floorDiv(sec+int64(z.offsetAt(sec)), secondsPerDay)
	if _, ok := dateOf(day); !ok {
		return DateTime{}, false
	}
	r := dateTimeAt(sec, n, z)
	r.zone = t.zone
	return r, true
}

// maxDurationSeconds bounds the lengths that can be added to a date: more
// than there is between the first and the last.
const maxDurationSeconds = int64(2*maxYear) * 366 * secondsPerDay

func (t DateTime) plusMonths(months int64) (DateTime, bool) {
	d, ok := t.date.addMonths(months)
	if !ok {
		return DateTime{}, false
	}
	t.date = d
	if t.zone != nil {
		t = t.inZone(t.zone)
	}
	return t, true
}

func (t DateTime) minus(o DateTime) DaysTimeDuration {
	return durationOf(t.epochSecond()-o.epochSecond(), t.nanos%nanosPerSecond-o.nanos%nanosPerSecond)
}

// cmp compares the instants.
func (t DateTime) cmp(o DateTime) int { return t.minus(o).sign() }

func (d Date) atMidnight() DateTime { return DateTime{date: d} }

// midnightUTC is the date where a point in time is wanted (DMN 1.3, 10.3.2.3.5).
func (d Date) midnightUTC() DateTime { return DateTime{date: d, zone: &zone{}} }

// plus gives the day the moment after midnight is in.
func (d Date) plus(o DaysTimeDuration) (Date, bool) {
	t, ok := d.atMidnight().plus(o)
	return t.date, ok
}

// durationOf makes a duration of seconds and any number of nanoseconds.
func durationOf(seconds, nanos int64) DaysTimeDuration {
	q, r := floorDiv(nanos, nanosPerSecond)
	return DaysTimeDuration{seconds + q, int32(r)}
}

func (d DaysTimeDuration) sign() int {
	switch {
	case d.seconds < 0:
		return -1
	case d.seconds > 0 || d.nanos > 0:
		return 1
	}
	return 0
}

func (d DaysTimeDuration) neg() DaysTimeDuration { return durationOf(-d.seconds, -int64(d.nanos)) }

func (d DaysTimeDuration) plus(o DaysTimeDuration) (DaysTimeDuration, bool) {
	s, ok := add64(d.seconds, o.seconds)
	if !ok || s > maxSeconds || s < -maxSeconds {
		return DaysTimeDuration{}, false
	}
	return durationOf(s, int64(d.nanos)+int64(o.nanos)), true
}

func (d DaysTimeDuration) cmp(o DaysTimeDuration) int {
	if d.seconds != o.seconds {
		return cmp64(d.seconds, o.seconds)
	}
	return cmp64(int64(d.nanos), int64(o.nanos))
}

// number gives the length in seconds.
func (d DaysTimeDuration) number() Number {
	whole := NewInt(d.seconds)
	r, _ := whole.add(Number{coef: int64(d.nanos), scale: 9}) // a sum of such is in range
	return r
}

// durationOfNumber makes a duration of seconds, without what is below a nanosecond.
func durationOfNumber(n Number) (DaysTimeDuration, bool) {
	floor := n.floor()
	s, ok := floor.Int64()
	if !ok {
		return DaysTimeDuration{}, false
	}
	frac, ok := n.sub(floor)
	if !ok {
		return DaysTimeDuration{}, false
	}
	nanos, ok := frac.mul(NewInt(nanosPerSecond))
	if !ok {
		return DaysTimeDuration{}, false
	}
	ns, ok := nanos.Int64()
	return durationOf(s, ns), ok && s <= maxSeconds && s >= -maxSeconds
}

// parts gives days, hours, minutes and seconds, all with the sign of the
// duration and without the fraction of a second.
func (d DaysTimeDuration) parts() (days, hours, minutes, seconds int64) {
	s := d.seconds
	if s < 0 && d.nanos > 0 {
		s++ // toward zero
	}
	return s / secondsPerDay, s / 3600 % 24, s / 60 % 60, s % 60
}

// maxSeconds bounds durations such that they can be negated and padded.
const maxSeconds = 1 << 62

func add64(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0)
}

func cmp64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
