package feel_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/feel"
)

func TestJSONRoundTrip(t *testing.T) {
	for in, want := range map[string]string{
		`null`: `null`, `true`: `true`, ` false `: `false`, `0`: `0`, `-0.0`: `0`, `1.0`: `1`, `1e3`: `1000`,
		`1.50`: `1.5`, `0.1`: `0.1`, `1e-7`: `1.0E-7`, `123456789.25`: `1.2345678925E8`, `-5`: `-5`,
		`9007199254740993`: `9007199254740993`, `18446744073709551616`: `18446744073709551616`,
		`123456789012345678901234567890123456789012`: `123456789012345678901234567890123456789012`,
		`1e30`: `1000000000000000000000000000000`, `1e-400`: `1.0E-400`,
		`""`: `""`, `"a\"\\\/\b\f\n\r\t\u0041\u00e9"`: "\"a\\\"\\\\/\\b\\f\\n\\r\\tAé\"",
		`"\u0000\u001f"`: `"\u0000\u001F"`, `"\ud83d\ude00"`: `"\uD83D\uDE00"`, `"😀"`: `"\uD83D\uDE00"`,
		`"\ud83dx"`: `"?x"`, `"\ude00"`: `"?"`, `"\ud83d\u0041"`: `"?A"`, `"<a&b>"`: `"<a&b>"`,
		`[]`: `[]`, ` [ 1 , [ 2 ] ] `: `[1,[2]]`, `{}`: `{}`,
		`{"b": 1, "a": {"c": [null]}}`: `{"b":1,"a":{"c":[null]}}`, `{"a": 1, "b": 2, "a": 3}`: `{"a":3,"b":2}`,
	} {
		v, err := feel.FromJSON([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(feel.AppendJSON(nil, v)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestJSONRefused(t *testing.T) {
	for _, in := range []string{
		``, ` `, `nul`, `tru`, `{`, `[`, `[1`, `[1,`, `[1,]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `"`, `"a`, `"\`,
		`"\x"`, `"\u12"`, `"\u12g4"`, "\"a\nb\"", `1 2`, `--1`, `1e`, `1e999999999`, `[1}`, `{"a":1]`, `+`, `.`, `-`,
		strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000),
	} {
		if v, err := feel.FromJSON([]byte(in)); err == nil {
			t.Errorf("%.20q gives %v", in, v)
		}
	}
}

// What is read is written as JSON that reads as the same.
func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.5, "x\u00e9", null, true]}`, `"\ud83d\ude00"`, `1e5`, `-0`, `[[[]]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v, err := feel.FromJSON(doc)
		if err != nil {
			return
		}
		out := feel.AppendJSON(nil, v)
		if !json.Valid(out) {
			t.Fatalf("%q became %q", doc, out)
		}
		// A long fraction may become a whole double; that stays as it is.
		again, err := feel.FromJSON(out)
		if err != nil {
			t.Fatalf("%q became %q: %v", doc, out, err)
		}
		out = feel.AppendJSON(nil, again)
		if again, err = feel.FromJSON(out); err != nil {
			t.Fatalf("%q became %q: %v", doc, out, err)
		}
		if twice := feel.AppendJSON(nil, again); string(twice) != string(out) {
			t.Fatalf("%q became %q and then %q", doc, out, twice)
		}
	})
}

// A part of a variable is the same whether it is decoded alone or with the rest.
func TestPartsOfVariables(t *testing.T) {
	vars := feel.Vars{"v": []byte(` {"a": {"b": "x,}]\"", "c": [1, {"d": 2}]}, "a\"b": 3, "n": 1.5, "a": {"b": "last", "c": [{"d": 4}]}, "\u0065": 5} `)}
	for src, want := range map[string]string{
		"v.a.b": `"last"`, "v.a.c.d": "[4]", "v.n": "1.5", "v.a": `{"b":"last","c":[{"d":4}]}`, "v.e": "5",
		"v.missing": "null", "v.n.x": "null", "[v.n, v.a.b, v.n]": `[1.5,"last",1.5]`, "v.`a\"b`": "3",
		"for v in [{n: 1}] return v.n": "[1]", "w.a": "null",
	} {
		if got := evalJSON(t, src, &feel.Env{Scope: vars}); got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
	broken := feel.Vars{"v": []byte(`{"a": 1`), "w": []byte(`{"a" 1}`)}
	for src, want := range map[string]string{"v": "null", "w.a": "null", "v.b": "null"} {
		if got := evalJSON(t, src, &feel.Env{Scope: broken}); got != want {
			t.Errorf("broken: %s: got %s, want %s", src, got, want)
		}
	}
}
