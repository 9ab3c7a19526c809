package feel_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The files of testdata hold what the original (Zeebe 8.6.0) gave. A line is a
// case: an expression, on with | lines; tab-indented lines say what is expected:
//
//	{"x": 2}   a context (default {}), each followed by what it gives
//	= 3        the output, as JSON by value
//	~ ^"\d     or a pattern the output matches
//	! text     or how the message of the failure begins
//	!! text    or what the message of a rejection has in it
//
// "% kind" starts cases of another kind, "of EXPR" gives the input of unary
// tests, <<X*N>> is X written N times, # in it being the number.
type recordedCase struct {
	file, kind, text, of string
	line                 int
	runs                 []recordedRun
}

type recordedRun struct{ context, op, want string }

func (c *recordedCase) name(r recordedRun) string {
	name := c.file + ": " + strings.ReplaceAll(c.text, "\n", " ⏎ ")
	if c.of != "" {
		name += " of " + c.of
	}
	if r.context != "" {
		name += " with " + r.context
	}
	return name
}

func loadRecorded(t testing.TB) []*recordedCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []*recordedCase
	for _, f := range files {
		cases = append(cases, loadRecordedFile(t, f)...)
	}
	return cases
}

func loadRecordedFile(t testing.TB, path string) (cases []*recordedCase) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	kind := "expr"
	var c *recordedCase
	for line := 1; sc.Scan(); line++ {
		l := sc.Text()
		switch {
		case strings.HasPrefix(l, "\t"):
			if err := c.expect(strings.TrimLeft(l, "\t")); err != nil {
				t.Fatalf("%s:%d: %v", path, line, err)
			}
		case strings.HasPrefix(l, "|") && c != nil:
			c.text += "\n" + l[1:]
		case l == "" || l[0] == '#':
		case strings.HasPrefix(l, "% "):
			kind = strings.TrimSpace(l[2:])
		default:
			file := strings.TrimSuffix(filepath.Base(path), ".txt")
			c = &recordedCase{file: file, line: line, kind: kind, text: l}
			cases = append(cases, c)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func (c *recordedCase) expect(l string) error {
	op, rest, _ := strings.Cut(l, " ")
	switch {
	case strings.HasPrefix(l, "{"):
		c.runs = append(c.runs, recordedRun{context: l})
	case op == "of":
		c.of = rest
	case op == "=" || op == "~" || op == "!" || op == "!!":
		if n := len(c.runs); n == 0 || c.runs[n-1].op != "" {
			c.runs = append(c.runs, recordedRun{})
		}
		r := &c.runs[len(c.runs)-1]
		r.op, r.want = op, rest
	default:
		return fmt.Errorf("not understood: %s", l)
	}
	return nil
}

var repeatPattern = regexp.MustCompile(`<<(.*?)\*(\d+)>>`)

func expanded(s string) string {
	return repeatPattern.ReplaceAllStringFunc(s, func(m string) string {
		p := repeatPattern.FindStringSubmatch(m)
		n, err := strconv.Atoi(p[2])
		if err != nil {
			panic(err)
		}
		var b strings.Builder
		for i := 1; i <= n; i++ {
			b.WriteString(strings.ReplaceAll(p[1], "#", strconv.Itoa(i)))
		}
		return b.String()
	})
}
