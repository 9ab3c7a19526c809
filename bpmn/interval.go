package bpmn

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Interval is a length of time as ISO 8601 writes it: months and days are
// counted in the calendar, the rest is exact.
type Interval struct {
	Months, Days int
	Rest         time.Duration
}

// farAway bounds the parts of an interval, in their units: what is longer than
// that never comes.
const farAway = 1 << 40

// ParseInterval reads a duration such as P1DT2H or -PT1.5S. ok is false for
// what is none.
func ParseInterval(text string) (i Interval, ok bool) {
	m := duration.FindStringSubmatch(text)
	if m == nil || !isDuration(text) {
		return Interval{}, false
	}
	sign := int64(1)
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	years, months, weeks, days := part(m[1]), part(m[2]), part(m[3]), part(m[4])
	seconds, nanos := secondsPart(m[8])
	whole := clamp(part(m[6])*3600 + part(m[7])*60 + seconds)
	i.Months = int(clamp(sign * (12*years + months)))
	i.Days = int(clamp(sign * (7*weeks + days)))
	if whole > math.MaxInt64/int64(time.Second)-1 || whole < math.MinInt64/int64(time.Second)+1 {
		i.Days = int(clamp(int64(i.Days) + sign*(whole/86400)))
		whole %= 86400
	}
	i.Rest = time.Duration(sign * (whole*int64(time.Second) + nanos))
	return i, true
}

func clamp(n int64) int64 { return max(min(n, farAway), -farAway) }

// part reads a number with its unit behind it, such as 12M; nothing is 0.
func part(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(text[:len(text)-1], "+"), 10, 64)
	if err != nil { // out of range: the pattern lets only digits pass
		n = farAway
		if text[0] == '-' {
			n = -n
		}
	}
	return clamp(n)
}

// secondsPart reads seconds with a fraction, such as -1.5S.
func secondsPart(text string) (seconds, nanos int64) {
	if text == "" {
		return 0, 0
	}
	whole, fraction, _ := strings.Cut(strings.Replace(text[:len(text)-1], ",", ".", 1), ".")
	seconds = part(whole + "S")
	nanos = part((fraction + "000000000")[:9] + "S")
	if whole[0] == '-' {
		nanos = -nanos
	}
	return seconds, nanos
}

// After is the time that lies the interval behind t, in ms since 1970. It is
// kept between 1970 and the year 9999.
func (i Interval) After(t int64) int64 {
	if i.Months > 12*9999 || i.Days > 366*9999 {
		return lastTime
	}
	if i.Months < -12*9999 || i.Days < -366*9999 {
		return 0
	}
	at := time.UnixMilli(t).UTC()
	if i.Months != 0 {
		at = addMonths(at, i.Months)
	}
	at = at.AddDate(0, 0, i.Days).Add(i.Rest)
	if i.Rest > 0 && at.Nanosecond()%1e6 != 0 {
		at = at.Add(time.Millisecond - time.Nanosecond) // never early
	}
	return Bounded(at)
}

var lastTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()

// Bounded gives a time in ms since 1970, between then and the year 9999.
func Bounded(t time.Time) int64 {
	switch {
	case t.Year() > 9998:
		return lastTime
	case t.Year() < 1970:
		return 0
	}
	return max(t.UnixMilli(), 0)
}

// addMonths goes to the last day of the month if the day does not exist there.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return time.Date(first.Year(), first.Month(), min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// ParseDateTime reads a date and time with an offset or a zone.
func ParseDateTime(text string) (t time.Time, ok bool) {
	if !isDateTime(text) {
		return time.Time{}, false
	}
	m := dateTime.FindStringSubmatch(text)
	if m[2] == "" {
		m[2] = ":00"
	}
	zone := m[4]
	if len(zone) == 9 { // offsets with seconds are rare: Go's layouts need their own
		t, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00:00", m[1]+m[2]+m[3]+zone)
		return t, err == nil
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", m[1]+m[2]+m[3]+zone)
	return t, err == nil
}

// Cycle is a repeated timer.
type Cycle struct {
	// Repeats is how often it fires, -1: for ever.
	Repeats int64
	// Start is when it fires first, if HasStart.
	Start    time.Time
	HasStart bool
	Interval Interval
	cron     *cron
}

// ParseCycle reads R[n]/[start/]interval or a cron expression of six fields.
// problem says what is wrong with it, "" if nothing is.
func ParseCycle(text string) (c Cycle, problem string) {
	if problem = wrongCycle(text, text); problem != "" {
		return c, problem
	}
	c.Repeats = -1
	if !strings.HasPrefix(text, "R") {
		c.cron, problem = parseCron(text)
		return c, problem
	}
	count, interval, _ := strings.Cut(text[1:], "/")
	if n, err := strconv.ParseInt(count, 10, 64); err == nil {
		c.Repeats = max(n, -1)
	}
	if start, rest, ok := strings.Cut(interval, "/"); ok {
		c.Start, c.HasStart = ParseDateTime(start)
		interval = rest
	}
	c.Interval, _ = ParseInterval(interval)
	return c, ""
}

// First is when the cycle fires first, in ms since 1970.
func (c *Cycle) First(now int64) int64 {
	if c.HasStart {
		return Bounded(c.Start)
	}
	return c.Next(now, now)
}

// Next is when it fires after it was due at a time; never the same time again,
// so that a cycle without length does not go round inside one moment.
func (c *Cycle) Next(due, now int64) int64 {
	if c.cron != nil {
		return c.cron.next(max(due, now))
	}
	if next := c.Interval.After(due); next > due {
		return next
	}
	return max(due, now) + 1
}
