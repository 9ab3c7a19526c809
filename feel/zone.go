package feel

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
)

// zone is a zone of the tz database, or a fixed offset if loc is nil.
type zone struct {
	name   string
	loc    *time.Location
	offset int32 // in seconds, of a fixed offset
}

// zones keeps the zones that were found, of which there are a few hundred.
var zones sync.Map // name → *zone

// findZone gives the zone of the name, nil if there is none.
func findZone(name string) *zone {
	if z, ok := zones.Load(name); ok {
		return z.(*zone)
	}
	if name == "" || name == "Local" || len(name) > 64 || strings.ContainsAny(name, ".\\ ") {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil // an unknown zone is an answer here: the text is no time
	}
	z, _ := zones.LoadOrStore(name, &zone{name: name, loc: loc})
	return z.(*zone)
}

func zoneOf(loc *time.Location) *zone {
	if loc == nil || loc == time.UTC {
		return &zone{}
	}
	return &zone{name: loc.String(), loc: loc}
}

func (z *zone) location() *time.Location {
	switch {
	case z.loc != nil:
		return z.loc
	case z.offset == 0:
		return time.UTC
	}
	return time.FixedZone("", int(z.offset))
}

// offsetAt gives the offset at an instant.
func (z *zone) offsetAt(epochSecond int64) int32 {
	if z.loc == nil {
		return z.offset
	}
	_, off := time.Unix(epochSecond, 0).In(z.loc).Zone()
	return int32(off)
}

// standardOffset gives the offset outside daylight saving time, which is what
// a time of day without a date can be said to have.
func (z *zone) standardOffset() int32 {
	january := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	july := time.Date(2020, 7, 1, 0, 0, 0, 0, time.UTC).Unix()
	return min(z.offsetAt(january), z.offsetAt(july))
}

// resolve gives the instant of a local time in the zone, both in seconds. A
// local time that there is twice is the earlier one; one that is skipped moves
// on by the length of the gap, as in java.time.
func (z *zone) resolve(local int64) int64 {
	if z.loc == nil {
		return local - int64(z.offset)
	}
	before := int64(z.offsetAt(local - secondsPerDay))
	after := int64(z.offsetAt(local + secondsPerDay))
	if before != after && int64(z.offsetAt(local-before)) != before && int64(z.offsetAt(local-after)) == after {
		return local - after
	}
	return local - before
}

func (z *zone) equal(o *zone) bool {
	return z == o || z != nil && o != nil && z.name == o.name && z.offset == o.offset
}

// text gives "Z", "+01:00" or "@Europe/Berlin".
func (z *zone) text() string {
	if z.loc != nil {
		return "@" + z.name
	}
	return offsetText(z.offset)
}

func offsetText(offset int32) string {
	if offset == 0 {
		return "Z"
	}
	b := []byte{'+'}
	if offset < 0 {
		b[0], offset = '-', -offset
	}
	b = appendPadded(b, int(offset/3600), 2)
	b = appendPadded(append(b, ':'), int(offset/60%60), 2)
	if offset%60 != 0 {
		b = appendPadded(append(b, ':'), int(offset%60), 2)
	}
	return string(b)
}

// dateTimeAt gives the date and time of an instant in the zone. The instant
// must be in range.
func dateTimeAt(epochSecond, nanos int64, z *zone) DateTime {
	off := z.offsetAt(epochSecond)
	day, sec := floorDiv(epochSecond+int64(off), secondsPerDay)
	d, _ := dateOf(day)
	return DateTime{d, sec*nanosPerSecond + nanos, z, off}
}

// inZone takes the local date and time to be in the zone.
func (t DateTime) inZone(z *zone) DateTime {
	local := t.date.epochDay()*secondsPerDay + t.nanos/nanosPerSecond
	return dateTimeAt(z.resolve(local), t.nanos%nanosPerSecond, z)
}

// epochSecond gives the seconds since 1970, as if in UTC for a local one.
func (t DateTime) epochSecond() int64 {
	return t.date.epochDay()*secondsPerDay + t.nanos/nanosPerSecond - int64(t.offset)
}
