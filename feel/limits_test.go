package feel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/feel"
)

// Expressions that are long but flat have to work.
func TestLongChains(t *testing.T) {
	ones := "1" + strings.Repeat(" + 1", 50_000)
	cases := map[string]string{
		ones: "50001",
		"true" + strings.Repeat(" and true", 50_000):                                        "true",
		"false" + strings.Repeat(" or false", 50_000):                                       "false",
		strings.Repeat("if false then 1 else ", 20_000) + "2":                               "2",
		"2" + strings.Repeat(" * 1", 50_000):                                                "2",
		"count([1" + strings.Repeat(", 1", 100_000) + "])":                                  "100001",
		"x" + strings.Repeat(".a", 100_000):                                                 "null",
		"[[1]]" + strings.Repeat("[true]", 50_000):                                          "[[1]]",
		"{a0: 0" + manyEntries(20_000) + "}.a20000":                                         "20000",
		"string length(\"" + strings.Repeat("x", 500_000) + "\")":                           "500000",
		strings.Repeat("/* c */ ", 50_000) + "1":                                            "1",
		"1 in (" + strings.Repeat("2, ", 50_000) + "1)":                                     "true",
		"sum(for i in 1..100000 return i)":                                                  "5000050000",
		strings.Repeat("(", 450) + "1" + strings.Repeat(")", 450):                           "1",
		strings.Repeat("[", 450) + strings.Repeat("]", 450) + "[1] = []":                    "false",
		"string(" + strings.Repeat("9", 3000) + ") = \"" + strings.Repeat("9", 3000) + "\"": "true",
	}
	for src, want := range cases {
		got := evalJSON(t, src, nil)
		if got != want {
			t.Errorf("%.40s…: got %.80s, want %s", src, got, want)
		}
	}
}

func manyEntries(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, ", a%d: a%d + 1", i, i-1)
	}
	return b.String()
}

func evalJSON(t *testing.T, src string, env *feel.Env) string {
	t.Helper()
	e, err := feel.Compile(src)
	if err != nil {
		t.Fatalf("compile %.60s…: %v", src, cut(err.Error()))
	}
	res, err := e.Eval(env)
	if err != nil {
		t.Fatalf("eval %.60s…: %v", src, cut(err.Error()))
	}
	return string(feel.AppendJSON(nil, res.Value))
}

// cut keeps both ends of a message that repeats a long expression.
func cut(s string) string {
	if len(s) > 400 {
		return s[:200] + " … " + s[len(s)-200:]
	}
	return s
}

// Expressions that nest too deeply are refused, whatever they nest.
func TestNestingIsRefused(t *testing.T) {
	const n = 20_000
	for _, src := range []string{
		strings.Repeat("(", n), strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		strings.Repeat("[", n), strings.Repeat("{a:", n), strings.Repeat("-", n) + "1",
		strings.Repeat("not(", n), strings.Repeat("x[", n), strings.Repeat("for x in ", n),
		strings.Repeat("for x in y return ", n), strings.Repeat("some x in y satisfies ", n),
		strings.Repeat("function(x) ", n), strings.Repeat("if ", n), strings.Repeat("if x then ", n),
		strings.Repeat("1 in (", n), strings.Repeat("1 in ", n), strings.Repeat("f(a: ", n), strings.Repeat("]", n),
		"for " + strings.Repeat("x in y, ", n) + "x in y return 1",
		strings.Repeat("[1..", n), strings.Repeat("((1..2)", n), strings.Repeat("a b ", n) + "(",
		strings.Repeat("1", 100_000), strings.Repeat("x", 2<<20),
	} {
		for _, compile := range []func(string) error{compileExpression, compileTests} {
			var parse *feel.ParseError
			if err := compile(src); !errors.As(err, &parse) {
				t.Errorf("%.30s…: want a ParseError, got %v", src, err)
			}
		}
	}
}

func compileExpression(s string) error { _, err := feel.Compile(s); return err }
func compileTests(s string) error      { _, err := feel.CompileUnaryTests(s); return err }

// Evaluations that would take too long or too much end in an EvalError.
func TestWorkIsLimited(t *testing.T) {
	long := strings.Repeat("ab", 5_000)
	vars := feel.Vars{
		"text": []byte(`"` + long + `"`),
		"as":   []byte(`"` + strings.Repeat("a", 10_000) + `"`),
		"big":  []byte(`{"xs": [` + strings.Repeat("1,", 50_000) + `1], "a": 1}`),
	}
	for _, src := range []string{
		"for i in 1..1000000000 return i",
		"every i in 1..1000000000 satisfies i > 0",
		"count(for i in 1..10000, j in 1..10000 return 1)",
		"for i in 1..64 return if i = 1 then \"aaaa\" else partial[-1] + partial[-1]",
		"for i in 1..64 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
		"for i in 1..64 return partial",
		"string(for i in 1..64 return partial)",
		"count(flatten(for i in 1..64 return partial))",
		"1 in (for i in 1..64 return partial)",
		"(for i in 1..64 return partial) = (for i in 1..64 return partial)",
		"(for i in 1..100000 return [partial[-1]]) = 1 or string((for i in 1..100000 return [partial[-1]])[-1]) = \"\"",
		"{f: function(g) g(g), r: f(f)}.r",
		"{f: function(g) [g(g), g(g)], r: f(f)}.r",
		"distinct values(for i in 1..100000 return i)",
		"sort(for i in 1..1000000 return -i, function(a, b) a < b)",
		"matches(as, \"(a*)*b\")", "matches(as, \"(a|a)*b\")", "matches(as, \"(a|aa)+$b\")", "matches(text, \"(?<=(a|b)*)c\")",
		"matches(as, \"(.*)(.*)(.*)(.*)\\1\\2x\")", "matches(text, \"" + strings.Repeat("(a|b)?", 500) + "c\")",
		"for i in 1..1000000 return replace(text, \"a\", \"bbbbbbbbbbbbbbbb\")",
		"for i in 1..10000000 return big.a", "for i in 1..10000000 return count(big.xs)",
		"for i in 1..10000000 return missing + null",
		"for i in 1..10000000 return [for j in 1..100 return x]",
		"for i in 1..1000000 return {a: i, b: i, c: i}",
		"for i in 1..1000000 return decimal(1, 6000) * decimal(1, 6000)",
		"for i in 1..10000000 return 1.1 ** 1.1", "for i in 1..10000000 return exp(1.1)",
	} {
		start := time.Now()
		e, err := feel.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		res, err := e.Eval(&feel.Env{Scope: vars, MaxSteps: 400_000}) // a fifth of the default
		var failed *feel.EvalError
		if !errors.As(err, &failed) || failed.Kind != feel.LimitExceeded {
			t.Errorf("%s: want a passed limit, got %.60v, %v", src, res.Value, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", src, took)
		} else if testing.Verbose() {
			t.Logf("%8v %s", took.Round(time.Millisecond), src[:min(len(src), 80)])
		}
	}
}

func TestMaxSteps(t *testing.T) {
	e, err := feel.Compile("for i in 1..1000 return i")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(&feel.Env{MaxSteps: 100}); err == nil {
		t.Error("a thousand steps passed as a hundred")
	}
	if _, err := e.Eval(&feel.Env{MaxSteps: 10_000}); err != nil {
		t.Error(err)
	}
}

// The number and the length of warnings are bounded.
func TestWarningsAreBounded(t *testing.T) {
	e, err := feel.Compile(`for i in 1..300 return missing + [for j in 1..1000 return "abcdefgh"]`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := e.Eval(&feel.Env{MaxSteps: 100_000_000})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Warnings); n != 100 {
		t.Errorf("%d warnings", n)
	}
	for _, w := range res.Warnings {
		if len(w.Message) > 1200 {
			t.Fatalf("a warning of %d bytes", len(w.Message))
		}
	}
}

// The deepest expression in the deepest recursion stays well below the stack
// that Go allows (1 GB).
func TestDeepestStack(t *testing.T) {
	for _, nest := range [][2]string{
		{"some x in [1] satisfies ", ""}, {"[", "]"}, {"abs(", ")"}, {"1 + (", ")"}, {"[1][(", ") = 1]"}, {"1 in (", ")"}, {"{a: ", "}"},
		{"if true then ", " else 0"}, {"for x in [1] return ", ""}, {"not(", ")"},
	} {
		n := 490
		if strings.Contains(nest[0], " x in") || strings.HasPrefix(nest[0], "[1][(") {
			n /= 2 // these nest twice
		}
		src := "{f: function(g) " + strings.Repeat(nest[0], n) + "g(g)" + strings.Repeat(nest[1], n) + ", r: f(f)}.r"
		e, err := feel.Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", nest[0], cut(err.Error()))
		}
		_, err = e.Eval(nil)
		var failed *feel.EvalError
		if !errors.As(err, &failed) || failed.Kind != feel.LimitExceeded {
			t.Errorf("%s: want a passed limit, got %v", nest[0], err)
		}
	}
}
