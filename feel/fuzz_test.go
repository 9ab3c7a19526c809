package feel_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/grevy-io/grevy/feel"
)

func addSeeds(f *testing.F, kind string) {
	for _, c := range loadRecorded(f) {
		if c.Kind == kind {
			f.Add(c.Text)
		}
	}
}

// FuzzEval: whatever the text, there is a value in JSON, a ParseError or an
// EvalError, and the same each time.
func FuzzEval(f *testing.F) {
	addSeeds(f, "expr")
	env := &feel.Env{
		Scope: feel.Vars{
			"x": []byte(`{"a": 1, "b": [1, "x", null]}`), "xs": []byte(`[3, 1, 2]`), "s": []byte(`"text"`), "n": []byte(`12.5`),
		},
		Random:   func() float64 { return 0.5 },
		UUID:     func() string { return "u" },
		MaxSteps: 20_000,
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := feel.Compile(src)
		if err != nil {
			checkParseError(t, src, err)
			return
		}
		res, err := e.Eval(env)
		var failed *feel.EvalError
		if err != nil && !errors.As(err, &failed) {
			t.Fatalf("%q: %v", src, err)
		}
		out := feel.AppendJSON(nil, res.Value)
		if !json.Valid(out) {
			t.Fatalf("%q gives %q", src, out)
		}
	})
}

func FuzzUnaryTests(f *testing.F) {
	addSeeds(f, "unary")
	f.Fuzz(func(t *testing.T, src string) {
		tests, err := feel.CompileUnaryTests(src)
		if err != nil {
			checkParseError(t, src, err)
			return
		}
		for _, input := range []feel.Value{feel.NewInt(3), feel.String("a"), feel.Null{}, feel.List{feel.NewInt(1)}} {
			res, err := tests.Eval(input, &feel.Env{MaxSteps: 20_000})
			if k := res.Value.Kind(); err == nil && k != feel.KindBool && k != feel.KindNull {
				t.Fatalf("%q gives a %s", src, k)
			}
		}
	})
}

func checkParseError(t *testing.T, src string, err error) {
	t.Helper()
	var parse *feel.ParseError
	if !errors.As(err, &parse) {
		t.Fatalf("%q: %v", src, err)
	}
	if parse.Offset < 0 || parse.Offset > len(src) || parse.Line < 1 || parse.Column < 1 {
		t.Fatalf("%q: position %+v", src, parse)
	}
}

// FuzzTemporal: a text that is read is written as one that reads the same.
func FuzzTemporal(f *testing.F) {
	for _, s := range []string{
		"2020-02-29", "10:11:12.5@Europe/Berlin", "2020-10-25T02:30:00@Europe/Berlin", "-P1DT2H", "P14M", "-999999999-01-01",
		"2020-01-02T10:11:12-00:30", "PT0.000000001S", "P-1Y-2M", "+10000-01-01T00:00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := feel.ParseDate(s); ok {
			if again, ok := feel.ParseDate(d.String()); !ok || again != d {
				t.Errorf("date %q: %v, %v", s, d, again)
			}
		}
		if v, ok := feel.ParseTime(s); ok {
			if again, ok := feel.ParseTime(v.String()); !ok || again.String() != v.String() {
				t.Errorf("time %q: %v, %v", s, v, again)
			}
		}
		if v, ok := feel.ParseDateTime(s); ok {
			if again, ok := feel.ParseDateTime(v.String()); !ok || again.String() != v.String() {
				t.Errorf("date and time %q: %v, %v", s, v, again)
			}
		}
		if v, ok := feel.ParseYearsMonthsDuration(s); ok && v.Months() != 0 {
			if again, ok := feel.ParseYearsMonthsDuration(v.String()); !ok || again != v {
				t.Errorf("duration %q: %v, %v", s, v, again)
			}
		}
		if v, ok := feel.ParseDaysTimeDuration(s); ok {
			if _, ok := feel.ParseDaysTimeDuration(v.String()); !ok {
				t.Errorf("duration %q: %v", s, v)
			}
		}
	})
}
