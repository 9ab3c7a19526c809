package feel

import "time"

var temporalFunctions = map[string]builtinFunc{
	"date(from)":                          dateFrom,
	"date(year, month, day)":              dateOfParts,
	"time(from)":                          timeFrom,
	"time(hour, minute, second)":          func(c *evaluation, a []Value) (Value, bool) { return timeOfParts(c, append(a[:3:3], null)) },
	"time(hour, minute, second, offset)":  timeOfParts,
	"date and time(from)":                 dateTimeFrom,
	"date and time(date, time)":           dateTimeOf,
	"duration(from)":                      durationFrom,
	"years and months duration(from, to)": monthsBetween,
	"now()":                               func(c *evaluation, a []Value) (Value, bool) { return c.now(), true },
	"today()":                             func(c *evaluation, a []Value) (Value, bool) { return c.now().date, true },
	"day of year(date)":                   onDate(func(d Date) Value { return NewInt(int64(d.dayOfYear())) }),
	"day of week(date)":                   onDate(func(d Date) Value { return String(time.Weekday(d.weekday() % 7).String()) }),
	"month of year(date)":                 onDate(func(d Date) Value { return String(time.Month(d.month).String()) }),
	"week of year(date)":                  onDate(func(d Date) Value { return NewInt(int64(d.weekOfYear())) }),
	"last day of month(date)": onDate(func(d Date) Value {
		return Date{d.year, d.month, uint8(daysIn(int(d.year), int(d.month)))}
	}),
	"cycle(interval)":              func(c *evaluation, a []Value) (Value, bool) { return c.cycle(null, a[0], a) },
	"cycle(repetitions, interval)": func(c *evaluation, a []Value) (Value, bool) { return c.cycle(a[0], a[1], a) },
}

func (c *evaluation) now() DateTime {
	now := time.Now
	if c.env.Now != nil {
		now = c.env.Now
	}
	zone := c.env.Zone
	if zone == nil {
		zone = time.UTC
	}
	return NewDateTime(now().In(zone))
}

// unreadable notes that a text is no value of the type.
func (c *evaluation) unreadable(what string, s String) (Value, bool) {
	c.problem = "Failed to parse " + what + " from '" + string(s) + "'"
	return null, false
}

func dateFrom(c *evaluation, a []Value) (Value, bool) {
	switch v := a[0].(type) {
	case String:
		if d, ok := ParseDate(string(v)); ok {
			return d, true
		}
		return c.unreadable("date", v)
	case Date:
		return v, true
	case DateTime:
		return v.date, true
	}
	return null, false
}

func dateOfParts(c *evaluation, a []Value) (Value, bool) {
	y, ok1 := whole(a[0])
	m, ok2 := whole(a[1])
	d, ok3 := whole(a[2])
	if !ok1 || !ok2 || !ok3 || y > maxYear || y < -maxYear {
		return null, false
	}
	return NewDate(int(y), int(m), int(d))
}

func timeFrom(c *evaluation, a []Value) (Value, bool) {
	switch v := a[0].(type) {
	case String:
		if t, ok := ParseTime(string(v)); ok {
			return t, true
		}
		return c.unreadable("time", v)
	case Time:
		return v, true
	case DateTime:
		return Time{v.nanos, v.zone}, true
	case Date:
		return Time{0, &zone{}}, true
	}
	return null, false
}

func timeOfParts(c *evaluation, a []Value) (Value, bool) {
	h, ok1 := whole(a[0])
	m, ok2 := whole(a[1])
	s, ok3 := a[2].(Number)
	offset, hasOffset := a[3].(DaysTimeDuration)
	if !ok1 || !ok2 || !ok3 || !hasOffset && a[3].Kind() != KindNull {
		return null, false
	}
	seconds, ok := durationOfNumber(s)
	if !ok || h < 0 || h > 23 || m < 0 || m > 59 || seconds.seconds < 0 || seconds.seconds > 59 {
		return null, false
	}
	t := Time{nanos: ((h*60+m)*60+seconds.seconds)*nanosPerSecond + int64(seconds.nanos)}
	if hasOffset {
		if offset.seconds > 18*3600 || offset.seconds < -18*3600 {
			return null, false
		}
		t.zone = &zone{offset: int32(offset.seconds)}
	}
	return t, true
}

func dateTimeFrom(c *evaluation, a []Value) (Value, bool) {
	s, ok := a[0].(String)
	if !ok {
		return null, false
	}
	if t, ok := ParseDateTime(string(s)); ok {
		return t, true
	}
	return c.unreadable("date-time", s)
}

// dateTimeOf joins a date and a time, or moves a date and time to a zone.
func dateTimeOf(c *evaluation, a []Value) (Value, bool) {
	date, isDateTime := a[0].(DateTime)
	switch d := a[0].(type) {
	case Date:
		date = d.atMidnight()
	case DateTime:
	default:
		return null, false
	}
	switch t := a[1].(type) {
	case Time:
		r := DateTime{date: date.date, nanos: t.nanos}
		if t.zone != nil {
			r = r.inZone(t.zone)
		}
		return r, true
	case String:
		z := findZone(string(t))
		if z == nil || !isDateTime {
			return null, false
		}
		if date.zone == nil {
			return date.inZone(z), true
		}
		return dateTimeAt(date.epochSecond(), date.nanos%nanosPerSecond, z), true
	}
	return null, false
}

func durationFrom(c *evaluation, a []Value) (Value, bool) {
	switch v := a[0].(type) {
	case String:
		if d, ok := ParseYearsMonthsDuration(string(v)); ok {
			return d, true
		}
		if d, ok := ParseDaysTimeDuration(string(v)); ok {
			return d, true
		}
		return c.unreadable("duration", v)
	case DaysTimeDuration, YearsMonthsDuration:
		return v, true
	}
	return null, false
}

func monthsBetween(c *evaluation, a []Value) (Value, bool) {
	from, ok1 := dayOf(a[0])
	to, ok2 := dayOf(a[1])
	if !ok1 || !ok2 {
		return null, false
	}
	return YearsMonthsDuration{from.monthsTo(to)}, true
}

func dayOf(v Value) (Date, bool) {
	switch v := v.(type) {
	case Date:
		return v, true
	case DateTime:
		return v.date, true
	}
	return Date{}, false
}

func onDate(fn func(Date) Value) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		d, ok := dayOf(a[0])
		if !ok {
			return null, false
		}
		return fn(d), true
	}
}

// cycle is Zeebe's own: the text of a repeating interval for a timer.
func (c *evaluation) cycle(repetitions, interval Value, args []Value) (Value, bool) {
	count := ""
	n, ok := repetitions.(Number)
	if ok {
		count = n.floor().String()
	}
	d, isDuration := interval.(interface{ javaText() string })
	if k := interval.Kind(); !isDuration || !ok && repetitions.Kind() != KindNull ||
		k != KindDaysTimeDuration && k != KindYearsMonthsDuration {
		c.problem = "cycle function expected a repetitions (number) and an interval (duration) parameter, but found '" +
			c.describe(List(args)) + "'"
		return null, false
	}
	return String("R" + count + "/" + d.javaText()), true
}
