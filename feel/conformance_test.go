package feel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
	"github.com/grevy-io/grevy/feel"
)

// skipReasons are the kinds of cases that take more than this package.
var skipReasons = map[string]string{
	"output": "needs a process: where a mapping writes to", "mappings": "needs a process: where mappings write to",
	"date": "needs a timer", "duration": "needs a timer", "start-cycle": "needs a timer", "start-date": "needs a timer",
	"until": "needs a multi-instance", "job": "needs a job", "user": "needs a user task", "call": "needs a called process",
	"decide": "needs a decision", "error": "needs an error event",
}

// TestRecorded evaluates the recorded cases. What differs from the original
// must stand in DIFFERENCES.md with the output it has here, and what stands
// there must differ.
func TestRecorded(t *testing.T) {
	differences := loadDifferences(t)
	passed, skipped, differed := 0, map[string]int{}, 0
	for _, c := range loadRecorded(t) {
		for _, r := range c.Runs {
			if why, skip := skipReasons[c.Kind]; skip {
				skipped[why]++
				continue
			}
			got, why := evaluateRecorded(c, r)
			if why != "" {
				skipped[why]++
				continue
			}
			ours, listed := differences[nameOf(c, r)]
			delete(differences, nameOf(c, r))
			switch same := got.is(r); {
			case same && listed:
				t.Errorf("%s:%d: listed as different but the same: %s", c.File, c.Line, nameOf(c, r))
			case same:
				passed++
			case listed && got.text == ours:
				differed++
			case listed:
				t.Errorf("%s:%d: %s\n  got    %s\n  listed %s", c.File, c.Line, nameOf(c, r), got.text, ours)
			default:
				t.Errorf("%s:%d: %s\n  got  %s %s\n  want %s %s", c.File, c.Line, nameOf(c, r), got.op, got.text, r.Op, r.Want)
			}
		}
	}
	for name := range differences {
		t.Errorf("listed in DIFFERENCES.md but no case: %s", name)
	}
	t.Logf("%d as the original, %d differ as listed", passed, differed)
	reasons := make([]string, 0, len(skipped))
	for why := range skipped {
		reasons = append(reasons, why)
	}
	sort.Strings(reasons)
	for _, why := range reasons {
		t.Logf("skipped %d: %s", skipped[why], why)
	}
}

type outcome struct{ op, text string }

func (o outcome) is(r recorded.Run) bool {
	switch r.Op {
	case "=":
		return o.op == "=" && sameJSON(o.text, r.Want)
	case "~":
		return o.op == "=" && regexp.MustCompile(r.Want).MatchString(o.text)
	case "!":
		return o.op == "!" && strings.HasPrefix(o.text, strings.ReplaceAll(r.Want, `\n`, "\n"))
	case "!!":
		return o.op == "!!" && strings.Contains(o.text, strings.ReplaceAll(r.Want, `\n`, "\n"))
	}
	return false
}

func sameJSON(a, b string) bool {
	return reflect.DeepEqual(decodeJSON(a), decodeJSON(b))
}

// decodeJSON keeps numbers exact if whole and as doubles if not.
func decodeJSON(s string) any {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err.Error()
	}
	return normal(v)
}

func normal(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && f > -1e15 && f < 1e15 {
			return f
		}
		return v.String()
	}
	return v
}

// evaluateRecorded gives what a case yields here, or why it is skipped.
func evaluateRecorded(c *recorded.Case, r recorded.Run) (o outcome, skip string) {
	vars := feel.Vars{}
	if r.Variables != "" {
		if err := json.Unmarshal([]byte(r.Variables), &vars); err != nil {
			return outcome{"?", err.Error()}, ""
		}
	}
	env := &feel.Env{Scope: vars}
	text := c.Expanded()
	switch c.Kind {
	case "expr":
		return evaluateExpression("FEEL expression: ", text, env), ""
	case "unary":
		return evaluateUnary(c, text, env), ""
	case "script", "condition", "message", "cycle", "key", "source", "input", "each":
		return evaluateProcess(c.Kind, text, r, env)
	}
	return o, "kind " + c.Kind
}

func evaluateExpression(prefix, text string, env *feel.Env) outcome {
	e, err := feel.Compile(text)
	if err != nil {
		return outcome{"!!", prefix + err.Error()}
	}
	return result(e.Eval(env))
}

func result(res feel.Result, err error) outcome {
	if err != nil {
		return outcome{"!", err.Error()}
	}
	return outcome{"=", string(feel.AppendJSON(nil, res.Value))}
}

// evaluateUnary gives true if a test is fulfilled and else null, as a table
// with one rule does.
func evaluateUnary(c *recorded.Case, text string, env *feel.Env) outcome {
	input := c.Of
	if input == "" {
		input = "x"
	}
	in, err := feel.Compile(input)
	if err != nil {
		return outcome{"!!", "FEEL expression: " + err.Error()}
	}
	tests, err := feel.CompileUnaryTests(text)
	if err != nil {
		return outcome{"!!", "FEEL unary-tests: " + err.Error()}
	}
	res, err := in.Eval(env)
	if err != nil {
		return outcome{"!", err.Error()}
	}
	res, err = tests.Eval(res.Value, env)
	if err != nil {
		return outcome{"!", err.Error()}
	}
	if res.Value == feel.Value(feel.Bool(true)) {
		return outcome{"=", "true"}
	}
	return outcome{"=", "null"}
}

// evaluateProcess checks what a place in a process does with an expression, as
// far as it can be seen without the process.
func evaluateProcess(kind, text string, r recorded.Run, env *feel.Env) (outcome, string) {
	var e *feel.Expression
	var err error
	switch kind {
	case "source":
		e, err = feel.CompileField(text)
	case "each":
		text, _, _ = strings.Cut(text, " => ")
		e, err = feel.Compile(text)
		if r.Op == "=" || strings.Contains(r.Want, "assert") {
			return outcome{}, "needs a multi-instance"
		}
	default:
		e, err = feel.Compile(text)
	}
	if err != nil {
		_, want, _ := strings.Cut(r.Want, "- ERROR: ") // before it stands where in the model it is
		if strings.Contains(err.Error(), want) {
			return outcome{"!!", strings.ReplaceAll(r.Want, `\n`, "\n")}, ""
		}
		return outcome{"!!", err.Error()}, ""
	}
	res, err := e.Eval(env)
	if kind == "script" || kind == "input" || kind == "source" {
		return processOutcome(kind, res, err, r)
	}
	if kind == "key" && r.Op == "=" {
		return outcome{}, "needs a correlation"
	}
	if r.Op == "!" && err == nil && !strings.Contains(r.Want, "Expected result of the expression") {
		return outcome{}, "needs a timer or a correlation"
	}
	if r.Op == "!" {
		return withWarnings(e, map[string]feel.Kind{"condition": feel.KindBool, "each": feel.KindList}, kind, res, err), ""
	}
	if kind == "condition" {
		if res.Value == feel.Value(feel.Bool(true)) {
			return outcome{"=", `"yes"`}, ""
		}
		return outcome{"=", `"no"`}, ""
	}
	if kind == "cycle" {
		return outcome{}, "needs a timer"
	}
	return result(res, err), ""
}

func processOutcome(kind string, res feel.Result, err error, r recorded.Run) (outcome, string) {
	if err == nil {
		return result(res, nil), ""
	}
	if kind == "input" {
		return outcome{}, "needs a process: the expression of all mappings is in the message"
	}
	return withWarnings(nil, nil, kind, res, err), ""
}

// withWarnings words an incident as Zeebe does, if the value is not of the kind.
func withWarnings(e *feel.Expression, kinds map[string]feel.Kind, place string, res feel.Result, err error) outcome {
	text := ""
	var failed *feel.EvalError
	switch {
	case errors.As(err, &failed):
		text = "EXTRACT_VALUE_ERROR: " + failed.Error()
	default:
		want, ok := kinds[place]
		if !ok {
			want = feel.KindString
		}
		text = "EXTRACT_VALUE_ERROR: Expected result of the expression '" + e.Source() + "' to be '" + want.String() +
			"', but was '" + res.Value.Kind().String() + "'."
	}
	if len(res.Warnings) > 0 {
		text += " The evaluation reported the following warnings:"
		for _, w := range res.Warnings {
			text += "\n" + w.String()
		}
	}
	return outcome{"!", text}
}

// loadDifferences reads the first table of DIFFERENCES.md: case, original,
// ours, why; the first three are in backquotes.
func loadDifferences(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("DIFFERENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\| `` (.*?) `` \\| `` (.*?) `` \\| `` (.*?) `` \\|")
	differences := map[string]string{}
	for _, l := range strings.Split(string(doc), "\n") {
		if m := row.FindStringSubmatch(l); m != nil {
			differences[strings.ReplaceAll(m[1], `\|`, "|")] = strings.ReplaceAll(m[3], `\|`, "|")
		}
	}
	return differences
}
