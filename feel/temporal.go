package feel

import "time"

const (
	nanosPerSecond = int64(time.Second)
	nanosPerDay    = 24 * int64(time.Hour)
	secondsPerDay  = 24 * 60 * 60
	// maxYear is the range of java.time, so that every date of the original is one here.
	maxYear = 999999999
)

// Date is a day of the proleptic Gregorian calendar, without a zone.
type Date struct {
	year       int32
	month, day uint8
}

// Time is a time of day: of KindLocalTime, or of KindTime if it has an offset
// or a zone.
type Time struct {
	nanos int64 // since midnight
	zone  *zone // nil for a local time
}

// DateTime is a date and a time of day: of KindLocalDateTime, or of
// KindDateTime if it has an offset or a zone.
type DateTime struct {
	date  Date
	nanos int64
	zone  *zone
	// offset is the offset in seconds that the zone has at this time.
	offset int32
}

// DaysTimeDuration is an exact length of time.
type DaysTimeDuration struct {
	seconds int64
	nanos   int32 // 0 to 999999999, added to seconds whatever the sign
}

// YearsMonthsDuration is a length of time in months.
type YearsMonthsDuration struct{ months int64 }

// Kind gives KindDate.
func (Date) Kind() Kind { return KindDate }

// Kind gives KindLocalTime or KindTime.
func (t Time) Kind() Kind {
	if t.zone == nil {
		return KindLocalTime
	}
	return KindTime
}

// Kind gives KindLocalDateTime or KindDateTime.
func (t DateTime) Kind() Kind {
	if t.zone == nil {
		return KindLocalDateTime
	}
	return KindDateTime
}

// Kind gives KindDaysTimeDuration.
func (DaysTimeDuration) Kind() Kind { return KindDaysTimeDuration }

// Kind gives KindYearsMonthsDuration.
func (YearsMonthsDuration) Kind() Kind { return KindYearsMonthsDuration }

// NewDate makes a date; it says no if there is no such day.
func NewDate(year, month, day int) (Date, bool) {
	if year > maxYear || year < -maxYear || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Date{}, false
	}
	return Date{int32(year), uint8(month), uint8(day)}, true
}

// Year, Month and Day give the parts of the date, months and days from 1.
func (d Date) Year() int { return int(d.year) }

// Month gives the month from 1.
func (d Date) Month() int { return int(d.month) }

// Day gives the day of the month from 1.
func (d Date) Day() int { return int(d.day) }

// NewDateTime makes a date and time of the instant t in its location. UTC
// becomes the offset Z.
func NewDateTime(t time.Time) DateTime {
	z := &zone{}
	if t.Location() != time.UTC {
		z = &zone{name: t.Location().String(), loc: t.Location()}
	}
	return dateTimeAt(t.Unix(), int64(t.Nanosecond()), z)
}

// Time gives the instant in its zone; a local date and time is taken to be in
// zone, nil being UTC.
func (t DateTime) Time(zone *time.Location) time.Time {
	if t.zone == nil {
		if zone == nil {
			zone = time.UTC
		}
		t = t.inZone(zoneOf(zone))
	}
	return time.Unix(t.epochSecond(), t.nanos%nanosPerSecond).In(t.zone.location())
}

// Duration gives the length as a time.Duration, and whether it fits (292 years).
func (d DaysTimeDuration) Duration() (time.Duration, bool) {
	n, ok := mul64(d.seconds, nanosPerSecond)
	sum := n + int64(d.nanos)
	return time.Duration(sum), ok && sum >= n
}

// NewDuration makes a duration of days and time.
func NewDuration(d time.Duration) DaysTimeDuration {
	s, n := floorDiv(int64(d), nanosPerSecond)
	return DaysTimeDuration{s, int32(n)}
}

// Months gives the length in months.
func (d YearsMonthsDuration) Months() int64 { return d.months }

// NewMonths makes a duration of years and months.
func NewMonths(months int64) YearsMonthsDuration { return YearsMonthsDuration{months} }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// floorDiv divides rounding down, so that the remainder is not negative.
func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// epochDay gives the days since 1970-01-01. Counting years from March puts the
// leap day at the end of the year, and 400 years always have 146097 days.
func (d Date) epochDay() int64 {
	y, m := int64(d.year), int64(d.month)
	if m <= 2 {
		y, m = y-1, m+12
	}
	era, yearOfEra := floorDiv(y, 400)
	dayOfYear := (153*(m-3)+2)/5 + int64(d.day) - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// dateOf gives the date of a day since 1970-01-01, and whether it is in range.
func dateOf(epochDay int64) (Date, bool) {
	if epochDay > 366*(maxYear+1) || epochDay < -366*(maxYear+1) {
		return Date{}, false
	}
	era, dayOfEra := floorDiv(epochDay+719468, 146097)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day := dayOfYear - (153*m+2)/5 + 1
	year := era*400 + yearOfEra
	if m += 3; m > 12 {
		m, year = m-12, year+1
	}
	return NewDate(int(year), int(m), int(day))
}

// weekday gives 1 for Monday to 7 for Sunday.
func (d Date) weekday() int {
	_, r := floorDiv(d.epochDay()+3, 7)
	return int(r) + 1
}

func (d Date) dayOfYear() int {
	return int(d.epochDay()-Date{d.year, 1, 1}.epochDay()) + 1
}

// weekOfYear gives the week of ISO 8601: the week of a day is in the year of
// its Thursday.
func (d Date) weekOfYear() int {
	thursday, _ := dateOf(d.epochDay() + int64(4-d.weekday()))
	return (thursday.dayOfYear()-1)/7 + 1
}

// addMonths keeps the day of the month, or takes the last day of a shorter month.
func (d Date) addMonths(months int64) (Date, bool) {
	total := int64(d.year)*12 + int64(d.month) - 1 + months
	if total > 12*(maxYear+1) || total < -12*(maxYear+1) {
		return Date{}, false
	}
	y, m := floorDiv(total, 12)
	day := min(int(d.day), daysIn(int(y), int(m)+1))
	return NewDate(int(y), int(m)+1, day)
}

func (d Date) cmp(o Date) int {
	a, b := d.epochDay(), o.epochDay()
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// monthsTo gives the whole months from d to o, negative if o is before d.
func (d Date) monthsTo(o Date) int64 {
	months := (int64(o.year)-int64(d.year))*12 + int64(o.month) - int64(d.month)
	switch {
	case months > 0 && o.day < d.day:
		months--
	case months < 0 && o.day > d.day:
		months++
	}
	return months
}
