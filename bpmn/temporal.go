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

// DateTimeText writes a date and time with an offset as Java does: without
// seconds that are zero, fractions in groups of three digits.
func DateTimeText(text string) (_ string, ok bool) {
	if !isDateTime(text) {
		return "", false
	}
	m := dateTime.FindStringSubmatch(text)
	seconds, fraction, offset := m[2], strings.TrimRight(strings.TrimPrefix(m[3], "."), "0"), m[4]
	if fraction != "" {
		fraction = "." + fraction + strings.Repeat("0", (3-len(fraction)%3)%3)
	} else if seconds == ":00" {
		seconds = ""
	}
	if len(m[4]) == len("+00:00:00") {
		offset = strings.TrimSuffix(m[4], ":00")
	}
	if offset == "+00:00" || offset == "-00:00" {
		offset = "Z"
	}
	return m[1] + seconds + fraction + offset + m[5], true
}

func isDuration(text string) bool {
	last := strings.ToUpper(text[max(0, len(text)-1):])
	return last != "P" && last != "T" && duration.MatchString(text)
}

// wrongDuration, wrongDate and wrongCycle say what is wrong with the text a
// timer's expression gave, "" if nothing is.
func wrongDuration(text, expression string) string {
	if isDuration(text) {
		return ""
	}
	return fmt.Sprintf("Invalid duration format '%s' for expression '%s'.", text, expression)
}

func wrongDate(text, expression string) string {
	if isDateTime(text) {
		return ""
	}
	return fmt.Sprintf("Invalid date-time format '%s' for expression '%s'.", text, expression)
}

// cronMacros stand for cron expressions.
var cronMacros = map[string]bool{
	"@yearly": true, "@annually": true, "@monthly": true, "@weekly": true,
	"@daily": true, "@midnight": true, "@hourly": true,
}

// wrongCycle checks R[n]/[start/]interval and cron expressions of six fields;
// what stands in the fields is not looked at.
func wrongCycle(text, _ string) string {
	if !strings.HasPrefix(text, "R") {
		if n := len(strings.Fields(text)); n != 6 && !cronMacros[text] {
			return fmt.Sprintf("Cron expression contains %d parts but we expect one of [6]", n)
		}
		return ""
	}
	count, interval, found := strings.Cut(text[1:], "/")
	if _, err := strconv.Atoi(count); err != nil && count != "" {
		return fmt.Sprintf("For input string: \"%s\"", count)
	}
	if !found {
		return "No interval given"
	}
	if start, rest, ok := strings.Cut(interval, "/"); ok {
		if start != "" && !isDateTime(start) {
			return fmt.Sprintf("Text '%s' could not be parsed at index 0", start)
		}
		interval = rest
	}
	if !isDuration(interval) {
		return "Text cannot be parsed to a Period"
	}
	return ""
}
