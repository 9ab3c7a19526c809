package answers

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/e2e/embedded"
	"github.com/grevy-io/grevy/e2e/recorded"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/open.txt anew, with the cases that have another answer now")

// side is how many cases are under way at once.
const side = 8

// TestAnswers asks everything; it takes about as long as the longest waits of
// the cases.
func TestAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a broker and makes some thousand calls")
	}
	s := &suite{conn: embedded.Open(t, 1, nil), partitions: 1, nonce: fmt.Sprintf("%08x", uint32(time.Now().UnixMilli()))}
	recorded.YAML(t, "testdata/fixtures.yaml", &s.fixtures)
	cases := readCases(t)
	differs, open := readList(t, "testdata/differs.txt", cases), readList(t, "testdata/open.txt", cases)
	var now []string // those that have another answer and are not meant to
	for i, wrong := range s.ask(t, cases) {
		name := cases[i].Name
		meant, pending := slices.Contains(differs, name), slices.Contains(open, name)
		switch {
		case *rewrite && wrong != "" && !meant:
			now = append(now, name)
		case *rewrite:
		case wrong != "" && !meant && !pending:
			t.Errorf("%s\n%s", name, wrong)
		case wrong == "" && (meant || pending):
			t.Errorf("%s has the original's answer: take it off its list", name)
		}
	}
	if *rewrite {
		writeList(t, "testdata/open.txt", now)
	}
}

// ask runs all cases and says of each what is wrong with its answer.
func (s *suite) ask(t *testing.T, cases []*testCase) []string {
	wrong := make([]string, len(cases))
	one := func(i int) {
		got, err := s.run(t.Context(), cases[i])
		if err != nil {
			wrong[i] = err.Error()
		} else {
			wrong[i] = differences(got, cases[i].Expect)
		}
	}
	work := make(chan int)
	var workers sync.WaitGroup
	for range side {
		workers.Go(func() {
			for i := range work {
				one(i)
			}
		})
	}
	for i, c := range cases {
		if !c.Alone {
			work <- i
		}
	}
	close(work)
	workers.Wait()
	for i, c := range cases {
		if c.Alone {
			one(i)
		}
	}
	return wrong
}

func differences(got, want expectation) string {
	var d []string
	tell := func(what, got, want string, same bool) {
		if !same {
			d = append(d, fmt.Sprintf("  %s got:  %s\n  %s want: %s", what, got, what, want))
		}
	}
	tell("code", got.Code, want.Code, got.Code == want.Code)
	tell("message", got.Message, want.Message, sameText(got.Message, want.Message))
	tell("response", got.Response, want.Response, got.Response == want.Response)
	return strings.Join(d, "\n")
}

// readList reads names of cases.
func readList(t *testing.T, path string, cases []*testCase) []string {
	t.Helper()
	return recorded.List(t, path, func(name string) bool {
		return slices.ContainsFunc(cases, func(c *testCase) bool { return c.Name == name })
	})
}

func writeList(t *testing.T, path string, names []string) {
	t.Helper()
	text := "# Cases whose answer is not the original's yet. Made by: go test ./e2e/answers -rewrite\n"
	for _, n := range names {
		text += n + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
