package bpmn

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// cron is a cron expression of six fields: second, minute, hour, day of the
// month, month, day of the week. Each is a set of numbers; a day must be in
// both of its sets. Times are in UTC.
type cron struct{ second, minute, hour, day, month, weekday uint64 }

var cronMacroFields = map[string]string{
	"@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *", "@weekly": "0 0 0 * * 0",
	"@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *", "@hourly": "0 0 * * * *",
}

var cronMonths = []string{"", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

var cronDays = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// parseCron reads numbers, names, *, ?, lists, ranges and steps. The signs L, W
// and # are not known here.
func parseCron(text string) (*cron, string) {
	if m := cronMacroFields[text]; m != "" {
		text = m
	}
	c := &cron{}
	for i, f := range []struct {
		set       *uint64
		low, high int
		names     []string
	}{
		{&c.second, 0, 59, nil}, {&c.minute, 0, 59, nil}, {&c.hour, 0, 23, nil},
		{&c.day, 1, 31, nil}, {&c.month, 1, 12, cronMonths}, {&c.weekday, 0, 7, cronDays},
	} {
		field := strings.Fields(text)[i]
		for _, p := range strings.Split(field, ",") {
			set, ok := cronPart(strings.ToUpper(p), f.low, f.high, f.names)
			if !ok {
				return nil, fmt.Sprintf("Cron expression '%s' has a field '%s' that is not supported", text, field)
			}
			*f.set |= set
		}
	}
	if c.weekday&(1<<7) != 0 {
		c.weekday |= 1
	}
	return c, ""
}

// cronPart reads one of: *, 5, 1-5, with /2 behind it or not.
func cronPart(text string, low, high int, names []string) (set uint64, ok bool) {
	span, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 {
			return 0, false
		}
		step = n
	}
	from, to := low, high
	if span != "*" && span != "?" {
		first, last, ranged := strings.Cut(span, "-")
		if from, ok = cronNumber(first, low, high, names); !ok {
			return 0, false
		}
		switch {
		case ranged:
			if to, ok = cronNumber(last, low, high, names); !ok || to < from {
				return 0, false
			}
		case !stepped:
			to = from
		}
	}
	for n := from; n <= to; n += step {
		set |= 1 << n
	}
	return set, true
}

func cronNumber(text string, low, high int, names []string) (int, bool) {
	for i, name := range names {
		if name != "" && name == text {
			return i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

// next is the first time after the given one, in ms since 1970; the end of all
// time if there is none within some years, for instance for a 30 February.
func (c *cron) next(after int64) int64 {
	t := time.UnixMilli(after).UTC().Truncate(time.Second).Add(time.Second)
	for limit := t.Year() + 9; t.Year() < limit; {
		switch {
		case c.month&(1<<t.Month()) == 0:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case c.day&(1<<t.Day()) == 0 || c.weekday&(1<<t.Weekday()) == 0:
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case c.hour&(1<<t.Hour()) == 0:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case c.minute&(1<<t.Minute()) == 0:
			t = t.Truncate(time.Minute).Add(time.Minute)
		default:
			rest := c.second >> t.Second()
			if rest != 0 {
				return Bounded(t.Add(time.Duration(bits.TrailingZeros64(rest)) * time.Second))
			}
			t = t.Truncate(time.Minute).Add(time.Minute)
		}
	}
	return lastTime
}
