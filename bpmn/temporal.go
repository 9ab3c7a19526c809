package bpmn

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	dateTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d:\d\d(?::\d\d)?)(\[[A-Za-z0-9_/+-]+\])?$`)
	duration = regexp.MustCompile(`(?i)^[-+]?P([-+]?\d+Y)?([-+]?\d+M)?([-+]?\d+W)?([-+]?\d+D)?(T([-+]?\d+H)?([-+]?\d+M)?([-+]?\d+([.,]\d{0,9})?S)?)?$`)
)

// isDateTime says whether the text is a date and time with an offset, and
// perhaps a zone behind it in brackets (ISO 8601 as Java writes it).
func isDateTime(text string) bool {
	m := dateTime.FindStringSubmatch(text)
	if m == nil || m[2] == "" && m[3] != "" {
		return false
	}
	if m[5] != "" {
		if _, err := time.LoadLocation(strings.Trim(m[5], "[]")); err != nil {
			return false
		}
	}
	if m[2] == "" {
		m[2] = ":00"
	}
	_, err := time.Parse("2006-01-02T15:04:05", m[1]+m[2])
	return err == nil
}

func isDuration(text string) bool {
	last := strings.ToUpper(text[max(0, len(text)-1):])
	return last != "P" && last != "T" && duration.MatchString(text)
}

// wrongDuration, wrongDate and wrongCycle say what is wrong with a timer's
// text, "" if nothing is.
func wrongDuration(text string) string {
	if isDuration(text) {
		return ""
	}
	return fmt.Sprintf("Invalid duration format '%s' for expression '%s'.", text, text)
}

func wrongDate(text string) string {
	if isDateTime(text) {
		return ""
	}
	return fmt.Sprintf("Invalid date-time format '%s' for expression '%s'.", text, text)
}

// cronMacros stand for cron expressions.
var cronMacros = map[string]bool{
	"@yearly": true, "@annually": true, "@monthly": true, "@weekly": true,
	"@daily": true, "@midnight": true, "@hourly": true,
}

// wrongCycle checks R[n]/[start/]duration, R[n]/duration[/end] and cron
// expressions of six fields; what stands in the fields is not looked at.
func wrongCycle(text string) string {
	if !strings.HasPrefix(text, "R") {
		if n := len(strings.Fields(text)); n != 6 && !cronMacros[text] {
			return fmt.Sprintf("Cron expression contains %d parts but we expect one of [6]", n)
		}
		return ""
	}
	parts := strings.Split(text, "/")
	if _, err := strconv.Atoi(parts[0][1:]); err != nil && parts[0] != "R" || len(parts) < 2 || len(parts) > 3 {
		return fmt.Sprintf("Invalid repetition '%s'.", text)
	}
	for _, p := range parts[1:] {
		if isDuration(p) {
			return ""
		}
	}
	return wrongDuration(parts[len(parts)-1])
}
