package bpmn

import (
	"regexp"
	"strings"
	"time"
)

var dateTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d:\d\d(?::\d\d)?)(\[[A-Za-z0-9_/+-]+\])?$`)

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
