package feel_test

import (
	"slices"
	"testing"

	"github.com/grevy-io/grevy/feel"
)

// kinds holds a value of each kind, none of which is equal to another.
var kinds = map[string]string{
	"boolean": `true`, "context": `{a: 1}`, "date": `@"2021-01-01"`, "date and time": `@"2021-01-02T10:10:10"`,
	"days": `@"P1D"`, "months": `@"P1Y"`, "function": `(function() 1)`, "list": `[1, 2]`, "null": `null`,
	"number": `10`, "range": `[1..10]`, "string": `"foo"`, "time": `@"10:10:10"`,
}

// operands holds for each operator the pairs of kinds it has a value for (DMN
// 1.3, tables 50, 53, 54 and 57); it has none for any other.
var operands = map[string][][2]string{
	"+": {
		{"number", "number"}, {"string", "string"}, {"days", "days"}, {"months", "months"}, {"date", "days"},
		{"date", "months"}, {"days", "date"}, {"months", "date"}, {"date and time", "days"}, {"date and time", "months"},
		{"days", "date and time"}, {"months", "date and time"}, {"time", "days"}, {"days", "time"},
	},
	"-": {
		{"number", "number"}, {"days", "days"}, {"months", "months"}, {"date", "days"}, {"date", "months"},
		{"date and time", "days"}, {"date and time", "months"}, {"time", "days"}, {"date", "date"}, {"time", "time"},
		{"date and time", "date and time"},
	},
	"*":  {{"number", "number"}, {"number", "days"}, {"number", "months"}, {"days", "number"}, {"months", "number"}},
	"/":  {{"number", "number"}, {"days", "number"}, {"months", "number"}, {"days", "days"}, {"months", "months"}},
	"**": {{"number", "number"}},
	"<":  ordered, "<=": ordered, ">": ordered, ">=": ordered,
}

var ordered = [][2]string{
	{"number", "number"}, {"string", "string"}, {"date", "date"}, {"time", "time"}, {"days", "days"}, {"months", "months"},
	{"date and time", "date and time"},
}

// TestOperatorsOfKinds: an operator has a value for the operands the standard
// names, for all others it is null or fails.
func TestOperatorsOfKinds(t *testing.T) {
	for op, pairs := range operands {
		for left, a := range kinds {
			for right, b := range kinds {
				src := a + " " + op + " " + b
				if got, want := hasValue(t, src), slices.Contains(pairs, [2]string{left, right}); got != want {
					t.Errorf("%s has a value: %v, want %v", src, got, want)
				}
			}
		}
	}
}

// TestNegationOfKinds: numbers and durations can be negated.
func TestNegationOfKinds(t *testing.T) {
	for kind, a := range kinds {
		if got, want := hasValue(t, "-"+a), kind == "number" || kind == "days" || kind == "months"; got != want {
			t.Errorf("-%s has a value: %v, want %v", a, got, want)
		}
	}
}

// TestEqualityOfKinds: values of one kind are equal or not, those of two kinds
// neither, and only null is null (DMN 1.3, table 50).
func TestEqualityOfKinds(t *testing.T) {
	for left, a := range kinds {
		for right, b := range kinds {
			if left == "function" || right == "function" { // they are not compared
				continue
			}
			want := "null"
			if left == right || left == "null" || right == "null" {
				want = map[bool]string{true: "true", false: "false"}[left == right]
			}
			if got := evaluateExpression("", a+" = "+b, &feel.Env{Scope: feel.Vars{}}); got.op != "=" || got.text != want {
				t.Errorf("%s = %s: got %s %s, want %s", a, b, got.op, got.text, want)
			}
		}
	}
}

func hasValue(t *testing.T, src string) bool {
	t.Helper()
	got := evaluateExpression("", src, &feel.Env{Scope: feel.Vars{}})
	if got.op == "!!" {
		t.Errorf("%s: %s", src, got.text)
	}
	return got.op == "=" && got.text != "null"
}
