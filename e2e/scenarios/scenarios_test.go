package scenarios

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/e2e/embedded"
	"github.com/grevy-io/grevy/e2e/recorded"
)

var only = flag.String("scenario", "", "only scenarios whose name matches this")

// side is how many scenarios are under way at once: most of them wait for
// something most of the time.
const side = 24

// A suite is what all scenarios of one broker share.
type suite struct {
	gw         pb.GatewayClient
	store      *store
	partitions int
	differs    []string
}

// TestScenarios plays all scenarios on one partition, as the original did when
// they were recorded, and again on three: what happens is the same.
func TestScenarios(t *testing.T) {
	if all := readScenarios(t); len(pick(all, 1))+len(pick(all, 3)) == 0 {
		t.Fatalf("no scenario to be played here matches %q", *only)
	}
	var stores []*store
	t.Run("on", func(t *testing.T) {
		for _, partitions := range []int{1, 3} {
			if partitions > 1 && testing.Short() {
				continue // a second broker
			}
			s := newStore(fmt.Sprintf("_%08x", uint32(time.Now().UnixMilli())))
			stores = append(stores, s)
			t.Run(fmt.Sprint(partitions), func(t *testing.T) {
				t.Parallel()
				play(t, partitions, s)
			})
		}
	})
	documented(t, stores, *only == "" && !testing.Short())
}

func play(t *testing.T, partitions int, records *store) {
	all := readScenarios(t)
	s := &suite{store: records, partitions: partitions}
	s.differs = recorded.List(t, "testdata/differs.txt", func(name string) bool {
		return slices.ContainsFunc(all, func(c *scenario) bool { return c.Name == name })
	})
	conn := embedded.Open(t, partitions, s.store.add, grpc.WithUnaryInterceptor(again), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	s.gw = pb.NewGatewayClient(conn)
	picked := pick(all, partitions)
	s.all(t, slices.DeleteFunc(slices.Clone(picked), func(c *scenario) bool { return c.Alone }), side)
	s.all(t, slices.DeleteFunc(picked, func(c *scenario) bool { return !c.Alone }), 1)
}

// pick chooses what is played on a broker with so many partitions.
func pick(all []*scenario, partitions int) []*scenario {
	re := regexp.MustCompile(*only)
	return slices.DeleteFunc(slices.Clone(all), func(c *scenario) bool {
		return !re.MatchString(c.Name) || c.Partitions > 0 && c.Partitions != partitions || testing.Short() && c.slow()
	})
}

// all plays scenarios, n at a time.
func (s *suite) all(t *testing.T, list []*scenario, n int) {
	var workers sync.WaitGroup
	work := make(chan *scenario)
	for range n {
		workers.Go(func() {
			for c := range work {
				begun := time.Now()
				wrong, meant := s.one(t, c), slices.Contains(s.differs, c.Name)
				switch {
				case wrong != "" && !meant:
					t.Errorf("%s (- the original, + here)\n%s", c.Name, wrong)
				case wrong == "" && meant:
					t.Errorf("%s happens as in the original: take it off testdata/differs.txt", c.Name)
				}
				if d := time.Since(begun); d > 3*time.Second {
					t.Logf("%s took %v", c.Name, d.Round(100*time.Millisecond))
				}
			}
		})
	}
	for _, c := range list {
		work <- c
	}
	close(work)
	workers.Wait()
}

// one plays a scenario and says what differs.
func (s *suite) one(t *testing.T, c *scenario) string {
	r := &run{suite: s, ctx: t.Context(), scenario: c, id: c.Name + s.store.mark,
		refs: map[string]int64{}, keyNames: map[int64]string{}, results: map[string]chan []string{}}
	defer r.clean(t)
	r.steps()
	r.ends()
	want, patience := c.golden.text(), 8*time.Second
	if slices.Contains(s.differs, c.Name) {
		patience = time.Second
	}
	var got []string
	same := func() bool {
		got = r.golden().text()
		return slices.Equal(got, want)
	}
	if s.store.settles(r.ctx, r.id, patience, same) {
		return ""
	}
	return difference(want, got)
}

// clean ends what the scenario has left running.
func (r *run) clean(t *testing.T) {
	for _, name := range r.instances {
		_, err := r.gw.CancelProcessInstance(r.ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: r.refs[name]})
		if err != nil && status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v", r.scenario.Name, err)
		}
	}
}

// again bounds a call, and repeats it while the broker refuses it for load.
func again(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := call(ctx, method, req, reply, cc, opts...)
		s := status.Convert(err)
		refused := s.Code() == codes.ResourceExhausted && !strings.Contains(s.Message(), "size") || s.Code() == codes.Unavailable
		if !refused || !pause(ctx, 50*time.Millisecond) {
			return err
		}
	}
}

// pause waits for a time that a scenario asks for; false: the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
