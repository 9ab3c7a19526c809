package bpmn

import "testing"

// TestTimers: texts of timers, and what the original says of them.
func TestTimers(t *testing.T) {
	for _, c := range []struct {
		check      func(text, expression string) string
		text, want string
	}{
		{wrongDuration, "PT1H", ""}, {wrongDuration, "P1D", ""}, {wrongDuration, "P1W", ""}, {wrongDuration, "P1Y2M3DT4H", ""},
		{wrongDuration, "PT0.5S", ""}, {wrongDuration, "PT0S", ""}, {wrongDuration, "-PT1S", ""},
		{wrongDuration, "", "Invalid duration format '' for expression 'e'."},
		{wrongDuration, "P", "Invalid duration format 'P' for expression 'e'."},
		{wrongDuration, "P1DT", "Invalid duration format 'P1DT' for expression 'e'."},
		{wrongDuration, "R3/PT1H", "Invalid duration format 'R3/PT1H' for expression 'e'."},
		{wrongDate, "2100-01-01T00:00:00Z", ""}, {wrongDate, "2099-01-01T00:00:00+02:00", ""}, {wrongDate, "2099-01-01T00:00+02:00", ""},
		{wrongDate, "2100-01-01T00:00:00.123Z", ""}, {wrongDate, "2100-01-01T00:00:00+01:00[Europe/Berlin]", ""},
		{wrongDate, "2099-01-01T00:00:00", "Invalid date-time format '2099-01-01T00:00:00' for expression 'e'."},
		{wrongDate, "2099-01-01", "Invalid date-time format '2099-01-01' for expression 'e'."},
		{wrongDate, "2099-13-01T00:00:00Z", "Invalid date-time format '2099-13-01T00:00:00Z' for expression 'e'."},
		{wrongDate, "2100-01-01T00:00:00+01:00[No/Where]", "Invalid date-time format '2100-01-01T00:00:00+01:00[No/Where]' for expression 'e'."},
		{wrongCycle, "R3/PT1H", ""}, {wrongCycle, "R/PT1H", ""}, {wrongCycle, "R-1/P1D", ""}, {wrongCycle, "R0/PT1H", ""},
		{wrongCycle, "R2/2099-01-01T00:00:00Z/PT1H", ""}, {wrongCycle, "0 0 9 * * MON-FRI", ""}, {wrongCycle, "@daily", ""},
		{wrongCycle, "R3", "No interval given"},
		{wrongCycle, "R3/", "Text cannot be parsed to a Period"},
		{wrongCycle, "R3/PT1H/2099-01-01T00:00:00Z", "Text 'PT1H' could not be parsed at index 0"},
		{wrongCycle, "PT1H", "Cron expression contains 1 parts but we expect one of [6]"},
		{wrongCycle, "@every 1h", "Cron expression contains 2 parts but we expect one of [6]"},
	} {
		if got := c.check(c.text, "e"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// TestDateTimeText has what the original makes of texts (recorded with 8.6.0:
// user-task-job) and ISO 8601 as Java writes it.
func TestDateTimeText(t *testing.T) {
	for text, want := range map[string]string{
		"2030-01-01T00:00:00Z":                     "2030-01-01T00:00Z",
		"2030-01-01T00:00Z":                        "2030-01-01T00:00Z",
		"2030-01-02T03:04:05Z":                     "2030-01-02T03:04:05Z",
		"2030-01-02T03:04:00.5+00:00":              "2030-01-02T03:04:00.500Z",
		"2030-01-02T03:04:05.1234000+02:00":        "2030-01-02T03:04:05.123400+02:00",
		"2030-01-02T03:04:00.000+02:00:00":         "2030-01-02T03:04+02:00",
		"2030-01-02T03:04:00+01:00[Europe/Berlin]": "2030-01-02T03:04+01:00[Europe/Berlin]",
		"2030-01-02T03:04:05+01:02:03":             "2030-01-02T03:04:05+01:02:03",
		"2030-01-02":                               "",
		"x":                                        "",
	} {
		if got, ok := DateTimeText(text); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", text, got, ok, want)
		}
	}
}
