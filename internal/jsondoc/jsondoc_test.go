package jsondoc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
		"{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a":NaN}`, `{"a":01}`, "{\"a\":\"\x01\"}", `nonsense`,
		`{"a":"\x"}`, `{"a":"\u12"}`, `{"a":[1,]}`, `{"a":tru}`, "{\"a\":\"\xff\"}", `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "}",
	} {
		if _, err := jsondoc.Parse([]byte(doc)); !jsondoc.IsSyntax(err) {
			t.Errorf("%.40s: %v", doc, err)
		}
	}
}

// ours are documents that Zeebe takes and we do not: what would be lost is said.
var ours = []string{"null x", "\x00"}

// TestParse_AsZeebe: each document of the list is taken or refused as Zeebe 8.6.0
// does, at the same line and column.
func TestParse_AsZeebe(t *testing.T) {
	list, err := os.ReadFile("testdata/zeebe.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		want, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
		doc, err := strconv.Unquote(strings.TrimSpace(quoted))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got := "taken"
		_, err = jsondoc.Parse([]byte(doc))
		var syntax *jsondoc.Syntax
		var notObject *jsondoc.NotObject
		switch {
		case errors.As(err, &syntax):
			got = fmt.Sprintf("%d:%d", syntax.Line, syntax.Column)
			if slices.Contains(ours, doc) {
				continue
			}
		case errors.As(err, &notObject):
			got = notObject.Type
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", doc, got, want, err)
		}
	}
}

func TestSyntax_Text(t *testing.T) {
	_, err := jsondoc.Parse([]byte("{x"))
	if want := "Invalid JSON value: {x\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"; err.Error() != want {
		t.Errorf("%s, want %s", err, want)
	}
	plain, err := jsondoc.Plain([]byte(`{"a": 1} x {"b": 2}`))
	if err != nil || string(plain) != `{"a":1}` {
		t.Errorf("%s %v", plain, err)
	}
	_, err = jsondoc.Parse([]byte(`{"` + strings.Repeat("ä", 3000)))
	if text := err.Error(); len(text) > 2200 || !utf8.ValidString(text) || !strings.Contains(text, "ä…\n") {
		t.Error(text)
	}
}

// TestPlain: what is not quite JSON becomes so, everything else stays as it came.
func TestPlain(t *testing.T) {
	for doc, want := range map[string]string{
		"":                            "{}",
		"null":                        "{}",
		"\ufeff":                      "{}",
		` { "a" : 1 } `:               ` { "a" : 1 } `,
		"\ufeff{\"a\": 1}":            `{"a":1}`,
		`{'a':'b"c'}`:                 `{"a":"b\"c"}`,
		`{'a\'b':'\''}`:               `{"a'b":"'"}`,
		`{"a":["\'",{'b':'\n'}]}`:     `{"a":["'",{"b":"\n"}]}`,
		`{"a":"\ud83d\ude00"}`:        `{"a":"\ud83d\ude00"}`,
		`{"a":"\ud83dx","b\ude00":1}`: `{"a":"?x","b?":1}`,
		`{"a":"\ud83d\ud83d\ude00"}`:  `{"a":"?\ud83d\ude00"}`,
		`{"a":[-0,-0.0,-1]}`:          `{"a":[0,-0.0,-1]}`,
		`{"a":"\ud83d\u0041"}`:        `{"a":"?\u0041"}`,
	} {
		got, err := jsondoc.Plain([]byte(doc))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", doc, got, err, want)
		}
	}
}

// TestParse_ManyMembers: the time grows with the document, not with its square.
func TestParse_ManyMembers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"a":0`)
	const n = 300_000
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	b.WriteString(`,"m7":"last"}`)
	start := time.Now()
	members, err := jsondoc.Parse([]byte(b.String()))
	if err != nil || len(members) != n+1 || string(members[8].Value) != `"last"` {
		t.Fatal(len(members), err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// FuzzParse: what is taken is an object for encoding/json too, with equal
// content, once it is plain.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}],"d":null}`))
	f.Add([]byte("\ufeff{'a\\'\":['\\ud83d',-1.5e+3]}"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		members, err := jsondoc.Parse(doc)
		if err != nil || len(members) == 0 {
			return
		}
		plain, err := jsondoc.Plain(doc)
		var want, got map[string]any
		if err := errors.Join(err, json.Unmarshal(plain, &want)); err != nil {
			t.Fatalf("%q was taken: %v", doc, err)
		}
		if err := json.Unmarshal(jsondoc.Append(nil, members), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %v: %v", doc, got, err)
		}
	})
}
