package gateway

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/grevy-io/grevy/gateway/pb"
	"github.com/grevy-io/grevy/protocol"
)

// Equal streams of one gateway are one group. For each partition a group has a
// puller, which keeps one parked ActivateJobs at the leader: a job is locked,
// that lock committed, and only then does the answer bring it here. The puller
// hands each job to whichever client is free. The back-pressure is this: a
// client whose connection is full blocks in Send and is not free, and while no
// client is free nothing is pulled.

const (
	// credit is how many jobs a group may hold per client, over all partitions,
	// that are not yet written.
	credit = 32
	// minWindow and maxWindow bound the jobs of one pull.
	minWindow, maxWindow = 4, 256
)

// pushHub holds the groups by what makes streams equal.
type pushHub struct {
	mu     sync.Mutex
	groups map[string]*pushGroup
}

// pushGroup serves equal streams.
type pushGroup struct {
	s        *Server
	key      string
	template protocol.ActivateJobs
	ctx      context.Context // ends with the last client
	end      context.CancelCauseFunc

	// A client takes part in both: it takes a job, or it says that it could.
	jobs chan protocol.Job
	free chan struct{}

	clients int // guarded by pushHub.mu, as is pulled
	pulled  int // partitions that have a puller
}

// StreamActivatedJobs pushes jobs as they become activatable, until the client
// or the gateway goes.
func (s service) StreamActivatedJobs(req *pb.StreamActivatedJobsRequest, stream grpc.ServerStreamingServer[pb.ActivatedJob]) error {
	if err := checkTenants("StreamActivatedJobs", req.GetTenantIds()...); err != nil {
		return err
	}
	if req.GetType() == "" {
		return invalidArgument("Expected to stream activated jobs with type to be present, but it was blank")
	}
	if req.GetTimeout() < 1 {
		return invalidArgument("Expected to stream activated jobs with timeout to be greater than zero, but it was %d", req.GetTimeout())
	}
	g := s.join(req)
	defer g.leave()
	ctx := stream.Context()
	for {
		select {
		case <-g.free:
		case job := <-g.jobs:
			if err := g.send(ctx, stream, job); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-g.ctx.Done(): // also when the gateway stops
			return context.Cause(g.ctx)
		}
	}
}

// send writes one job to a client, or hands it back.
func (g *pushGroup) send(ctx context.Context, stream grpc.ServerStreamingServer[pb.ActivatedJob], job protocol.Job) error {
	err := ctx.Err()
	if err == nil {
		err = stream.Send(activatedJob(&job))
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		g.s.yield([]protocol.Job{job})
		return context.Canceled
	}
	return nil
}

// join finds or makes the group of a request and counts the client in.
func (s *Server) join(req *pb.StreamActivatedJobsRequest) *pushGroup {
	key := groupKey(req)
	h := &s.pushing
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[key]
	if g == nil {
		g = &pushGroup{
			s: s, key: key, jobs: make(chan protocol.Job), free: make(chan struct{}),
			template: protocol.ActivateJobs{
				Type: req.GetType(), Worker: req.GetWorker(), Timeout: req.GetTimeout(),
				FetchVariables: req.GetFetchVariable(), Park: true,
			},
		}
		g.ctx, g.end = context.WithCancelCause(s.stopped) // whose cause is stopping
		h.groups[key] = g
	}
	g.clients++
	g.pull()
	return g
}

func groupKey(req *pb.StreamActivatedJobsRequest) string {
	parts := []string{req.GetType(), req.GetWorker(), strconv.FormatInt(req.GetTimeout(), 10)}
	b := strings.Builder{}
	for _, p := range append(parts, req.GetFetchVariable()...) {
		b.WriteString(strconv.Itoa(len(p)) + ":" + p)
	}
	return b.String()
}

func (g *pushGroup) leave() {
	h := &g.s.pushing
	h.mu.Lock()
	defer h.mu.Unlock()
	if g.clients--; g.clients == 0 {
		g.close(stopping())
	}
}

// close ends the group for all its clients; the caller holds pushHub.mu.
func (g *pushGroup) close(why error) {
	g.end(why)
	if h := &g.s.pushing; h.groups[g.key] == g {
		delete(h.groups, g.key)
	}
}

// pull starts a puller for every partition that has none.
func (g *pushGroup) pull() {
	for n := max(g.s.partitions(), 1); g.pulled < n; {
		g.pulled++
		p := protocol.PartitionID(g.pulled)
		g.s.background.Go(func() { g.pullFrom(p) })
	}
}

// window is how many jobs one pull may bring.
func (g *pushGroup) window() int32 {
	h := &g.s.pushing
	h.mu.Lock()
	defer h.mu.Unlock()
	g.pull() // partitions may have been added
	return int32(min(max(credit*g.clients/g.pulled, minWindow), maxWindow))
}

func (g *pushGroup) pullFrom(p protocol.PartitionID) {
	var b backoff
	for {
		select {
		case g.free <- struct{}{}:
		case <-g.ctx.Done():
			return
		}
		jobs, err := g.park(p)
		if len(jobs) > 0 {
			b.reset()
			g.deliver(jobs)
			continue
		}
		if g.ctx.Err() != nil {
			return
		}
		var rejection *protocol.Rejection
		if errors.As(err, &rejection) {
			g.s.pushing.mu.Lock()
			g.close(err)
			g.s.pushing.mu.Unlock()
			return
		}
		if err != nil {
			b.wait(g.ctx)
		}
	}
}

var errEmptyPull = errors.New("a parked pull was answered without jobs")

// park waits at the leader of p for jobs. No jobs and no error: the time was
// up, and all is well.
func (g *pushGroup) park(p protocol.PartitionID) ([]protocol.Job, error) {
	ctx, cancel := context.WithTimeout(g.ctx, g.s.tuning.park)
	defer cancel()
	cmd := g.template
	cmd.Max = g.window()
	reply, err := as[*protocol.Jobs](g.s.call(ctx, p, &cmd))
	switch {
	case err == nil && len(reply.Jobs) > 0:
		return reply.Jobs, nil
	case ctx.Err() != nil:
		return nil, nil
	case err == nil:
		return nil, errEmptyPull
	}
	return nil, err
}

// deliver hands jobs to the clients, in order. If none takes one for a while,
// or the last is gone, the rest is handed back.
func (g *pushGroup) deliver(jobs []protocol.Job) {
	for i := range jobs {
		select {
		case g.jobs <- jobs[i]:
			continue
		default:
		}
		stalled := time.NewTimer(g.s.tuning.stall)
		select {
		case g.jobs <- jobs[i]:
			stalled.Stop()
		case <-stalled.C:
			g.s.yield(jobs[i:])
			return
		case <-g.ctx.Done():
			stalled.Stop()
			g.s.yield(jobs[i:])
			return
		}
	}
}
