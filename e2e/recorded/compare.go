package recorded

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Cut ends a message where the original's parser tells what it expected, or a Java
// exception or Scala data begin: another parser says that otherwise, and the cases
// have no more.
func Cut(text string) string {
	for _, end := range []string{"': Expected ", "': expected ", "': found ", ". found: '", ": org.camunda.", "' : java.", "' : scala."} {
		if i := strings.Index(text, end); i >= 0 {
			text = text[:i+1]
		}
	}
	return text
}

// Parse reads JSON and keeps numbers as they are written.
func Parse(s string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// SameJSON compares two documents by value.
func SameJSON(got, want string) bool {
	a, err := Parse(got)
	b, bad := Parse(want)
	return err == nil && bad == nil && Same(a, b)
}

// Same compares what Parse gives: 1 and 1.0 are equal.
func Same(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && sameNumber(x, y)
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Same(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if v, ok := y[k]; !ok || !Same(x[k], v) {
				return false
			}
		}
		return true
	}
	return a == b
}

// sameNumber compares as 64-bit integers or, if one is none, as doubles.
func sameNumber(x, y json.Number) bool {
	i, err := strconv.ParseInt(string(x), 10, 64)
	j, bad := strconv.ParseInt(string(y), 10, 64)
	if err == nil && bad == nil {
		return i == j
	}
	f, err := x.Float64()
	g, bad := y.Float64()
	return err == nil && bad == nil && f == g
}
