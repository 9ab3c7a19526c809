package feel_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/feel"
)

func TestCompileField(t *testing.T) {
	for src, want := range map[string]struct {
		static bool
		source string
	}{
		"payment": {true, "payment"}, "=": {true, "="}, "": {true, ""}, "5": {true, "5"}, " a": {true, " a"},
		"=x + 1": {false, "x + 1"}, " \n= x ": {false, " x "}, "==": {false, "x"},
	} {
		e, err := feel.CompileField(src)
		if src == "==" {
			if err == nil {
				t.Errorf("%q compiled", src)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		if e.IsStatic() != want.static || e.Source() != want.source || (e.Static() != "") != (want.static && src != "") {
			t.Errorf("%q: static %v %q, source %q", src, e.IsStatic(), e.Static(), e.Source())
		}
		if res, err := e.Eval(nil); want.static && (err != nil || res.Value != feel.Value(feel.String(src))) {
			t.Errorf("%q: %v, %v", src, res.Value, err)
		}
	}
}

func TestParseErrorHasAPosition(t *testing.T) {
	_, err := feel.Compile("1 +\n  é * )")
	var parse *feel.ParseError
	if !errors.As(err, &parse) {
		t.Fatal(err)
	}
	if parse.Line != 2 || parse.Column != 7 || parse.Offset != 11 {
		t.Errorf("line %d, column %d, offset %d", parse.Line, parse.Column, parse.Offset)
	}
	if want := "expected an expression but found ')'"; parse.Message != want {
		t.Errorf("got  %s\nwant %s", parse.Message, want)
	}
	want := "failed to parse expression '1 +\n  é * )': Expected (binaryComparison | between | instanceOf | in | \"and\" | \"or\" | end-of-input):2:5, found \"* )\""
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestVariables(t *testing.T) {
	for src, want := range map[string][]string{
		"1 + 1":       nil,
		"b + a.c + a": {"a", "b"},
		"for x in xs, y in x.ys return x + y + z": {"xs", "z"},
		"for x in x return partial":               {"x"},
		"xs[item > limit]":                        {"limit", "xs"},
		"{a: 1, b: a + c}":                        {"c"},
		"{f: function(p) p + q, r: f(1)}":         {"q"},
		"some x in xs satisfies x > y":            {"xs", "y"},
		"twice(n) + abs(m)":                       {"m", "n", "twice"},
		"o.f(1)":                                  {"o"},
		"`a b` + date":                            {"a b", "date"},
		"if a then b else {a: 1}.a":               {"a", "b"},
		"a between b and c or d in (e, [f..g])":   {"a", "b", "c", "d", "e", "f", "g"},
		"substring(string: s, start position: p)": {"p", "s"},
	} {
		e, err := feel.Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if got := e.Variables(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
}

func TestNowIsOnlyAskedByNowAndToday(t *testing.T) {
	asked := 0
	env := &feel.Env{
		Now:  func() time.Time { asked++; return time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC) },
		Zone: mustZone(t, "Europe/Berlin"),
	}
	for src, want := range map[string]string{
		"1 + 1":              "2",
		"today()":            `"2024-03-01"`,
		"now()":              `"2024-03-01T00:30+01:00[Europe/Berlin]"`,
		"string(now())":      `"2024-03-01T00:30:00@Europe/Berlin"`,
		"string(now().year)": `"2024"`,
	} {
		asked = 0
		if got := evalJSON(t, src, env); got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
		if uses := strings.Count(src, "now()") + strings.Count(src, "today()"); asked != uses {
			t.Errorf("%s: asked for the time %d times", src, asked)
		}
	}
	if got := evalJSON(t, "now()", &feel.Env{Now: env.Now}); got != `"2024-02-29T23:30Z"` {
		t.Errorf("without a zone: %s", got)
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestGivenRandomness(t *testing.T) {
	env := &feel.Env{Random: func() float64 { return 0.25 }, UUID: func() string { return "u-1" }}
	if got := evalJSON(t, "[random number(), uuid()]", env); got != `[0.25,"u-1"]` {
		t.Error(got)
	}
}

func TestNativeFunctions(t *testing.T) {
	refused := errors.New("out of paper")
	scope := feel.NewContext(
		feel.Entry{Key: "twice", Value: feel.NewFunction([]string{"n"}, func(a []feel.Value) (feel.Value, error) {
			return feel.List{a[0], a[0]}, nil
		})},
		feel.Entry{Key: "print", Value: feel.NewFunction(nil, func([]feel.Value) (feel.Value, error) { return nil, refused })},
		feel.Entry{Key: "nothing", Value: feel.NewFunction(nil, func([]feel.Value) (feel.Value, error) { return nil, nil })},
	)
	env := &feel.Env{Scope: scope}
	for src, want := range map[string]string{
		"twice(3)": "[3,3]", "twice(n: 4)": "[4,4]", "twice()": "null", "twice(m: 1)": "null", "nothing()": "null",
		"for i in 1..2 return twice(i)[1]": "[1,2]", "twice": "null",
	} {
		if got := evalJSON(t, src, env); got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
	e, err := feel.Compile("1 + print()")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(env); err == nil || err.Error() != "failed to evaluate expression '1 + print()': out of paper" {
		t.Errorf("got %v", err)
	}
}

// A function outlives its evaluation and keeps the variables around it; others
// may use it at the same time.
func TestFunctionsOutliveTheirEvaluation(t *testing.T) {
	e, err := feel.Compile("function(n) n + base + count(xs)")
	if err != nil {
		t.Fatal(err)
	}
	res, err := e.Eval(&feel.Env{Scope: feel.Vars{"base": []byte("10"), "xs": []byte("[1, 2]")}})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := feel.Compile("[f(1), base, f(2)]")
	if err != nil {
		t.Fatal(err)
	}
	scope := feel.NewContext(feel.Entry{Key: "f", Value: res.Value}, feel.Entry{Key: "base", Value: feel.NewInt(7)})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				res, err := caller.Eval(&feel.Env{Scope: scope})
				if got := string(feel.AppendJSON(nil, res.Value)); err != nil || got != "[13,7,14]" {
					t.Errorf("got %s, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWarnings(t *testing.T) {
	vars := feel.Vars{"x": []byte(`{"a": 1}`), "s": []byte(`"a"`), "d": []byte(`"x"`)}
	for src, want := range map[string][]string{
		"y":              {"[NO_VARIABLE_FOUND] No variable found with name 'y'"},
		"x.b > 1":        {"[NO_CONTEXT_ENTRY_FOUND] No context entry found with key 'b'. Available keys: 'a'", "[NOT_COMPARABLE] Can't compare 'null' with '1'"},
		"x.a > 0":        nil,
		"s > 1":          {`[NOT_COMPARABLE] Can't compare '"a"' with '1'`},
		"s + 1":          {`[INVALID_TYPE] Can't add '1' to '"a"'`},
		"1 / 0":          {"[INVALID_TYPE] Can't divide '1' by '0'"},
		"nofunction(1)":  {"[NO_FUNCTION_FOUND] No function found with name 'nofunction' and 1 parameters"},
		"date(d)":        {"[FUNCTION_INVOCATION_FAILURE] Failed to invoke function 'date': Failed to parse date from 'x'"},
		"contains(s, 1)": {`[FUNCTION_INVOCATION_FAILURE] Failed to invoke function 'contains': Illegal arguments: '"a"', '1'`},
		"[1][5]":         {"[OUT_OF_BOUNDS] Index 5 out of bounds in list of size 1"},
		"[1, 2][y]":      {"[NO_VARIABLE_FOUND] No variable found with name 'y'", "[NO_VARIABLE_FOUND] No variable found with name 'y'"},
		"null.a":         {"[NO_CONTEXT_ENTRY_FOUND] No context entry found with key 'a'. The context is null"},
	} {
		e, err := feel.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		res, err := e.Eval(&feel.Env{Scope: vars})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range res.Warnings {
			got = append(got, w.String())
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got  %q\n want %q", src, got, want)
		}
	}
}

func TestAFailureKeepsItsWarnings(t *testing.T) {
	e, err := feel.Compile(`assert(x, x != null, "x is missing")`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := e.Eval(nil)
	var failed *feel.EvalError
	if !errors.As(err, &failed) || failed.Kind != feel.AssertionFail || failed.Message != "x is missing" {
		t.Fatalf("got %v", err)
	}
	if n := len(res.Warnings); n != 3 || res.Warnings[2].Type != feel.AssertFailure {
		t.Errorf("warnings %v", res.Warnings)
	}
}

func TestConcurrentUse(t *testing.T) {
	e, err := feel.Compile(`sum(for i in xs return i * factor) + count(xs[item > 1]) + string length(replace("abc", "b", string(factor)))`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			env := &feel.Env{Scope: feel.Vars{"xs": []byte("[1,2,3]"), "factor": []byte("2")}}
			for range 200 {
				res, err := e.Eval(env)
				if got := string(feel.AppendJSON(nil, res.Value)); err != nil || got != "17" {
					t.Errorf("got %s, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
