package feel_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/feel"
)

// lessSaid are expressions whose first word may be a name in the original: it
// reads "if a" as the name if and something after it. Here it is a keyword. And
// 😀 is a name here (DIFFERENCES.md), so that what follows it is refused.
func lessSaid(src string) bool {
	word, _, _ := strings.Cut(src, " ")
	return word == "😀" || (word == "if" || word == "for" || word == "some") && !strings.Contains(src, " else c")
}

// TestParseFailure_AsZeebe: what cannot be parsed is refused in the words of 8.6.0.
func TestParseFailure_AsZeebe(t *testing.T) {
	list, err := os.ReadFile("testdata/parse-failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		at := strings.LastIndex(line, "\tExpected")
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		src, want := line[:at], strings.TrimSuffix(line[at+1:], "\n")
		_, err := feel.Compile(src)
		var parse *feel.ParseError
		if !errors.As(err, &parse) {
			t.Errorf("%q: parsed", src)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "failed to parse expression '"+src+"': "); got != want && !lessSaid(src) {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}
