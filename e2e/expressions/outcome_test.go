package expressions

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// outcome is what a run has given, in the form of the cases.
type outcome struct{ op, text string }

func value(v any) outcome { return outcome{"=", compact(v)} }

// failed is what nothing is expected to be.
func failed(err error) outcome { return outcome{"?", err.Error()} }

// fits tells whether the outcome is what the run is to give.
func (r *run) fits() bool {
	switch r.Op {
	case "=":
		return r.got.op == "=" && recorded.SameJSON(r.got.text, r.Want)
	case "~":
		return r.got.op == "=" && regexp.MustCompile(r.Want).MatchString(r.got.text)
	case "!":
		return r.got.op == "!" && strings.HasPrefix(r.got.text, cut(r.Want))
	case "!!":
		return r.got.op == "!!" && strings.Contains(r.got.text, cut(r.Want))
	}
	return false
}

// cut is recorded.Cut on one line, as the cases are.
func cut(text string) string { return strings.ReplaceAll(recorded.Cut(text), "\n", `\n`) }

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

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
