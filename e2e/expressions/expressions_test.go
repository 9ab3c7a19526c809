package expressions

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"

	"github.com/grevy-io/grevy/e2e/embedded"
	"github.com/grevy-io/grevy/e2e/recorded"
)

var only = flag.String("case", "", "only cases whose name (file:line) or text has this in it")

// side is how many evaluations are under way at once.
const side = 8

// A suite is what all cases of one broker share.
type suite struct {
	t      *testing.T
	gw     pb.GatewayClient
	seen   *watcher
	models map[string]*pb.DeployResourceResponse
}

// TestExpressions evaluates all cases on one partition, as the original did when
// they were recorded, and on three.
func TestExpressions(t *testing.T) {
	for _, partitions := range []int{1, 3} {
		t.Run(fmt.Sprint(partitions), func(t *testing.T) {
			if partitions > 1 && testing.Short() {
				t.Skip("a second broker")
			}
			t.Parallel()
			evaluate(t, partitions)
		})
	}
}

func evaluate(t *testing.T, partitions int) {
	all := readCases(t)
	differs := recorded.List(t, "testdata/differs.txt", func(name string) bool {
		return slices.ContainsFunc(all, func(c *testCase) bool {
			return slices.ContainsFunc(c.runs, func(r *run) bool { return c.RunName(r.Run) == name })
		})
	})
	picked := slices.DeleteFunc(slices.Clone(all), func(c *testCase) bool {
		return !strings.Contains(c.Name(), *only) && !strings.Contains(c.Text, *only)
	})
	if len(picked) == 0 {
		t.Fatalf("no case has %q in its name or text", *only)
	}
	seen := newWatcher()
	conn := embedded.Open(t, partitions, seen.add, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	s := &suite{t: t, gw: pb.NewGatewayClient(conn), seen: seen, models: map[string]*pb.DeployResourceResponse{}}
	s.decisions(picked)
	s.processes(picked)
	for _, c := range picked {
		for _, r := range c.runs {
			switch same, meant := r.fits(), slices.Contains(differs, c.RunName(r.Run)); {
			case !same && !meant:
				t.Errorf("%s  %s\n  got  %s %s\n  want %s %s", c.RunName(r.Run), brief(c.Text), r.got.op, r.got.text, r.Op, r.Want)
			case same && meant:
				t.Errorf("%s gives what the original gives: take it off testdata/differs.txt", c.RunName(r.Run))
			}
		}
	}
}

// brief is the beginning of a text, on one line.
func brief(s string) string {
	s = strings.ReplaceAll(s, "\n", " ⏎ ")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return s
}

// each does f for 0 to n-1, several at a time.
func each(n int, f func(i int)) {
	var workers sync.WaitGroup
	next := make(chan int)
	for range side {
		workers.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

func (s *suite) deploy(name, content string) (*pb.DeployResourceResponse, error) {
	return s.gw.DeployResource(s.t.Context(), &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: name, Content: []byte(content)}}})
}

// patience is how long an instance, or its record, is waited for.
const patience = 20 * time.Second
