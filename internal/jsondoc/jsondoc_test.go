package jsondoc_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/internal/jsondoc"
)

func TestParse(t *testing.T) {
	for doc, want := range map[string]string{
		"":                                   "{}",
		" \n":                                "{}",
		"null":                               "{}",
		"{}":                                 "{}",
		`{"a":1}`:                            `{"a":1}`,
		` { "a" : [ 1 , 2.50, {"b": null}]}`: `{"a":[1,2.50,{"b":null}]}`,
		`{"a":1,"b":true,"a":"x y"}`:         `{"a":"x y","b":true}`,
		`{"ä\u0041":"\n"}`:                   `{"äA":"\n"}`,
		`{"q\"":{}}`:                         `{"q\"":{}}`,
	} {
		members, err := jsondoc.Parse([]byte(doc))
		if got := string(jsondoc.Append(nil, members)); err != nil || got != want {
			t.Errorf("%q: %s, %v", doc, got, err)
		}
	}
}

func TestParse_NotAnObject(t *testing.T) {
	for doc, want := range map[string]string{"1": "INTEGER", " 1.5": "FLOAT", `"x"`: "STRING", "[]": "ARRAY", "true": "BOOLEAN"} {
		_, err := jsondoc.Parse([]byte(doc))
		var no *jsondoc.NotObject
		if !errors.As(err, &no) || no.Type != want {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestParse_Syntax(t *testing.T) {
	for _, doc := range []string{
		"{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a":1} x`, `{"a":NaN}`, `{"a":01}`, "{\"a\":\"\x01\"}", `nonsense`,
		`{"a":"\x"}`, `{"a":"\u12"}`, `{"a":[1,]}`, `{"a":tru}`, "{\"a\":\"\xff\"}", `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "}",
	} {
		if _, err := jsondoc.Parse([]byte(doc)); !jsondoc.IsSyntax(err) {
			t.Errorf("%.40s: %v", doc, err)
		}
	}
}

func TestParse_ErrorSaysWhere(t *testing.T) {
	_, err := jsondoc.Parse([]byte("{\n \"a\": x}"))
	var s *jsondoc.Syntax
	if !errors.As(err, &s) || s.Line != 2 || s.Column != 7 {
		t.Errorf("%+v", s)
	}
}

// FuzzParse: what is taken is an object for encoding/json too, with equal content.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}],"d":null}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		members, err := jsondoc.Parse(doc)
		if err != nil || len(members) == 0 {
			return
		}
		var want, got map[string]any
		if err := json.Unmarshal(doc, &want); err != nil {
			t.Fatalf("%q was taken: %v", doc, err)
		}
		if err := json.Unmarshal(jsondoc.Append(nil, members), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %v: %v", doc, got, err)
		}
	})
}
