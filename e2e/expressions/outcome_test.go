package expressions

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// outcome is what a run has given, in the form of the cases.
type outcome struct{ op, text string }

func value(v any) outcome { return outcome{"=", compact(v)} }

// failed is what nothing is expected to be.
func failed(err error) outcome { return outcome{"?", err.Error()} }

// fits tells whether the outcome is what the run is to give.
func (r *run) fits() bool {
	switch r.op {
	case "=":
		got, err := parse(r.got.text)
		want, bad := parse(r.want)
		return r.got.op == "=" && err == nil && bad == nil && same(got, want)
	case "~":
		return r.got.op == "=" && regexp.MustCompile(r.want).MatchString(r.got.text)
	case "!":
		return r.got.op == "!" && strings.HasPrefix(r.got.text, cut(r.want))
	case "!!":
		return r.got.op == "!!" && strings.Contains(r.got.text, cut(r.want))
	}
	return false
}

// cut ends a message where the parser's expectations, a Java exception or Scala
// data begin: the cases have no more.
func cut(text string) string {
	for _, end := range []string{"': Expected ", "': found ", ". found: '", ": org.camunda.", "' : java.", "' : scala."} {
		if i := strings.Index(text, end); i >= 0 {
			text = text[:i+1]
		}
	}
	return strings.ReplaceAll(text, "\n", `\n`)
}

// refused says why a deployment was refused.
func refused(err error) outcome {
	m := status.Convert(err).Message()
	if status.Code(err) != codes.InvalidArgument {
		return failed(err)
	}
	if _, rest, ok := strings.Cut(m, ".dmn': "); ok {
		m = rest
	} else if _, rest, ok := strings.Cut(m, ".bpmn': "); ok {
		m = rest
	}
	return outcome{"!!", cut(m)}
}

// same compares by value: 1 and 1.0 are equal.
func same(a, b any) bool {
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
			if !same(x[i], y[i]) {
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
			if v, ok := y[k]; !ok || !same(x[k], v) {
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

func parse(s string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
