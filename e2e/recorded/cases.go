package recorded

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

// A Case is a line of a file, and those after it that begin with |: an expression,
// or what else its kind says ("% kind" starts cases of another one). Tab-indented
// lines say what is expected:
//
//	{"x": 2}   variables (default {}), each followed by what they give
//	= 3        the output, as JSON by value; of decisions the whole answer
//	~ ^"\d     or a pattern the output matches
//	! text     or how the message of the failure begins
//	!! text    or what the message of a refusal has in it
//	of EXPR    the input of unary tests
//
// <<X*N>> is X written N times, # in it being the number.
type Case struct {
	Dir, File string // File without its ending
	Line      int
	Kind      string // expr unless another one is said
	Text, Of  string
	Runs      []Run
}

// A Run is a case with one set of variables.
type Run struct{ Variables, Op, Want string }

// Name is where the case stands.
func (c *Case) Name() string { return fmt.Sprintf("%s:%d", c.File, c.Line) }

// RunName is the case's, with the variables if there are some.
func (c *Case) RunName(r Run) string { return strings.TrimSpace(c.Name() + " " + r.Variables) }

// Cases reads the files of a pattern, all but those with a form of their own,
// which are named.
func Cases(t testing.TB, pattern string, without ...string) (all []*Case) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	skip := map[string]bool{}
	for _, name := range without {
		skip[name] = true
	}
	for _, path := range paths {
		if !skip[filepath.Base(path)] {
			all = append(all, read(t, path)...)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no cases in %s", pattern)
	}
	return all
}

func read(t testing.TB, path string) (cases []*Case) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	kind := "expr"
	var c *Case
	for line := 1; sc.Scan(); line++ {
		l := sc.Text()
		switch {
		case l == "" || l[0] == '#':
		case strings.HasPrefix(l, "% "):
			kind = strings.TrimSpace(l[2:])
		case c == nil && (l[0] == '\t' || l[0] == '|'):
			t.Fatalf("%s:%d: before the first case", path, line)
		case l[0] == '\t':
			if err := c.expect(strings.TrimSpace(l)); err != nil {
				t.Fatalf("%s:%d: %v", path, line, err)
			}
		case l[0] == '|':
			c.Text += "\n" + l[1:]
		default:
			c = &Case{Dir: filepath.Dir(path), File: strings.TrimSuffix(filepath.Base(path), ".txt"), Line: line, Kind: kind, Text: l}
			cases = append(cases, c)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func (c *Case) expect(l string) error {
	op, rest, _ := strings.Cut(l, " ")
	switch {
	case strings.HasPrefix(l, "{"):
		c.Runs = append(c.Runs, Run{Variables: l})
	case op == "of":
		c.Of = rest
	case op == "=" || op == "~" || op == "!" || op == "!!":
		if n := len(c.Runs); n == 0 || c.Runs[n-1].Op != "" {
			c.Runs = append(c.Runs, Run{})
		}
		r := &c.Runs[len(c.Runs)-1]
		r.Op, r.Want = op, rest
	default:
		return fmt.Errorf("not understood: %s", l)
	}
	return nil
}

var repeat = regexp.MustCompile(`<<(.*?)\*(\d+)>>`)

// Expanded is the text with each <<X*N>> written out.
func (c *Case) Expanded() string {
	return repeat.ReplaceAllStringFunc(c.Text, func(m string) string {
		p := repeat.FindStringSubmatch(m)
		n, err := strconv.Atoi(p[2])
		if err != nil {
			panic(err) // of digits, too many
		}
		var b strings.Builder
		for i := 1; i <= n; i++ {
			b.WriteString(strings.ReplaceAll(p[1], "#", strconv.Itoa(i)))
		}
		return b.String()
	})
}
