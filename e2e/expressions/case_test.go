package expressions

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

// A testCase is an expression, or what else its kind says, and what it is to
// give. feel/recorded_test.go and dmn/recorded_test.go describe the files.
type testCase struct {
	dir, file string
	line      int
	kind      string // expr unless a "% kind" line stands before it
	text      string
	of        string // of unary tests: the expression whose value is tested
	runs      []*run
}

// A run is the case with one context.
type run struct {
	context string // a JSON object; "" is an empty one
	op      string // "=" value, "~" pattern of the output, "!" failure, "!!" refused deployment
	want    string
	got     outcome
}

func (c *testCase) name() string { return fmt.Sprintf("%s:%d", c.file, c.line) }

// name is the case's, with the context if there is one.
func (r *run) name(c *testCase) string { return strings.TrimSpace(c.name() + " " + r.context) }

// readCases reads the cases of both rooms. What feel has of the texts of parse
// failures is of another form and for itself.
func readCases(t testing.TB) (all []*testCase) {
	t.Helper()
	for _, room := range []string{"feel", "dmn"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", room, "testdata", "*.txt"))
		if err != nil || len(paths) == 0 {
			t.Fatal("no cases", err)
		}
		for _, path := range paths {
			if filepath.Base(path) != "parse-failures.txt" {
				all = append(all, readFile(t, path)...)
			}
		}
	}
	return all
}

func readFile(t testing.TB, path string) (cases []*testCase) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	kind := "expr"
	var c *testCase
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
			c = &testCase{dir: filepath.Dir(path), file: strings.TrimSuffix(filepath.Base(path), ".txt"), line: line, kind: kind, text: l}
			cases = append(cases, c)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func (c *testCase) expect(l string) error {
	op, rest, _ := strings.Cut(l, " ")
	switch {
	case strings.HasPrefix(l, "{"):
		c.runs = append(c.runs, &run{context: l})
	case op == "of":
		c.of = rest
	case op == "=" || op == "~" || op == "!" || op == "!!":
		if n := len(c.runs); n == 0 || c.runs[n-1].op != "" {
			c.runs = append(c.runs, &run{})
		}
		r := c.runs[len(c.runs)-1]
		r.op, r.want = op, rest
	default:
		return fmt.Errorf("not understood: %s", l)
	}
	return nil
}

// variables is the context as a request has it.
func (r *run) variables() string {
	if r.context == "" {
		return "{}"
	}
	return r.context
}

var repeat = regexp.MustCompile(`<<(.*?)\*(\d+)>>`)

// expanded is the text with each <<piece*N>> written N times, # in it being the
// number.
func (c *testCase) expanded(t testing.TB) string {
	return repeat.ReplaceAllStringFunc(c.text, func(m string) string {
		p := repeat.FindStringSubmatch(m)
		n, err := strconv.Atoi(p[2])
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := 1; i <= n; i++ {
			b.WriteString(strings.ReplaceAll(p[1], "#", strconv.Itoa(i)))
		}
		return b.String()
	})
}
