package feel

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The calendar has to be that of the time package.
func TestDatesAgainstStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		day := rnd.Int64N(6_000_000) - 3_000_000
		d, ok := dateOf(day)
		want := time.Unix(day*secondsPerDay, 0).UTC()
		_, week := want.ISOWeek()
		if !ok || d.Year() != want.Year() || d.Month() != int(want.Month()) || d.Day() != want.Day() ||
			d.epochDay() != day || d.weekday()%7 != int(want.Weekday()) || d.dayOfYear() != want.YearDay() || d.weekOfYear() != week {
			t.Fatalf("day %d: got %v, want %v", day, d, want)
		}
	}
	for _, day := range []int64{1 << 40, -1 << 40, 1 << 62, -1 << 62} {
		if d, ok := dateOf(day); ok {
			t.Errorf("day %d gives %v", day, d)
		}
	}
}

func TestZonesAgainstStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Pacific/Apia"} {
		z := findZone(name)
		if z == nil {
			t.Fatalf("no zone %s", name)
		}
		for range 5_000 {
			at := rnd.Int64N(4_000_000_000)
			got := dateTimeAt(at, 0, z)
			if !got.Time(nil).Equal(time.Unix(at, 0)) {
				t.Fatalf("%d in %s: got %v", at, name, got)
			}
			// Reading it again gives the instant, or the first of two with this text.
			again, ok := ParseDateTime(got.String())
			diff := got.epochSecond() - again.epochSecond()
			if !ok || diff < 0 || diff > 3600*24 || again.javaText()[:16] != got.javaText()[:16] {
				t.Fatalf("%v in %s is read as %v", got, name, again)
			}
		}
	}
	for _, name := range []string{"", "Local", "../etc", "Nowhere/City", "x y"} {
		if findZone(name) != nil {
			t.Errorf("zone %q was found", name)
		}
	}
}

func TestGapsAndOverlaps(t *testing.T) {
	for in, want := range map[string]string{
		"2020-03-29T02:30:00@Europe/Berlin":    "2020-03-29T03:30+02:00[Europe/Berlin]",
		"2020-10-25T02:30:00@Europe/Berlin":    "2020-10-25T02:30+02:00[Europe/Berlin]",
		"2020-03-08T02:15:00@America/New_York": "2020-03-08T03:15-04:00[America/New_York]",
		"2020-11-01T01:15:00@America/New_York": "2020-11-01T01:15-04:00[America/New_York]",
		"2011-12-30T12:00:00@Pacific/Apia":     "2011-12-31T12:00+14:00[Pacific/Apia]",
	} {
		got, ok := ParseDateTime(in)
		if !ok || got.javaText() != want {
			t.Errorf("%s: got %s, want %s", in, got.javaText(), want)
		}
	}
}

func TestDurationTexts(t *testing.T) {
	for in, want := range map[string][2]string{
		"PT0S": {"P0D", "PT0S"}, "P1D": {"P1D", "PT24H"}, "-PT1H30M": {"-PT1H30M", "PT-1H-30M"}, "PT0.5S": {"P0D", "PT0.5S"},
		"-PT0.5S": {"P0D", "PT-0.5S"}, "PT-1.25S": {"-PT1S", "PT-1.25S"}, "P1DT2H3M4.567S": {"P1DT2H3M4S", "PT26H3M4.567S"},
		"-P1DT0.000000001S": {"-P1D", "PT-24H-0.000000001S"}, "PT59.999999999S": {"PT59S", "PT59.999999999S"},
	} {
		d, ok := ParseDaysTimeDuration(in)
		if !ok || d.String() != want[0] || d.javaText() != want[1] {
			t.Errorf("%s: got %s and %s, want %v", in, d, d.javaText(), want)
		}
	}
	for _, in := range []string{"", "P", "PT", "P1DT", "-P", "1D", "P1", "P1H", "PT1D", "PT1M1H", "P1.5D", "PT.5S", "PT1.S", "PT99999999999999999S", "P1Y", "PT1.1234567890S"} {
		if d, ok := ParseDaysTimeDuration(in); ok {
			t.Errorf("%q gives %s", in, d)
		}
	}
	for _, in := range []string{"", "P", "P1D", "P1M1Y", "P1Y1", "P99999999999Y", "P1.5Y"} {
		if d, ok := ParseYearsMonthsDuration(in); ok {
			t.Errorf("%q gives %s", in, d)
		}
	}
}

func TestGoTimes(t *testing.T) {
	at := time.Date(2024, 7, 1, 12, 0, 0, 5000, findZone("Europe/Berlin").loc)
	if got := NewDateTime(at); got.String() != "2024-07-01T12:00:00.000005@Europe/Berlin" || !got.Time(nil).Equal(at) {
		t.Errorf("got %s", got)
	}
	local, ok := ParseDateTime("2024-07-01T12:00:00")
	if !ok || !local.Time(at.Location()).Equal(at.Truncate(time.Second)) || local.Time(nil).Hour() != 12 {
		t.Errorf("got %v", local.Time(at.Location()))
	}
	if d, ok := NewDuration(-90 * time.Second).Duration(); !ok || d != -90*time.Second {
		t.Errorf("got %v", d)
	}
	long, ok := ParseDaysTimeDuration("P200000D")
	if _, fits := long.Duration(); !ok || fits {
		t.Error("550 years fit into a time.Duration")
	}
}
