package gateway

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"

	"github.com/grevy-io/grevy/protocol"
)

// Equal streams of one gateway are one group. For each partition a group has a
// puller, which keeps one parked ActivateJobs at the leader: a job is locked,
// that lock committed, and only then does the answer bring it here. The puller
// gives the jobs out to the clients' queues in turn (group.go), and each
// client's handler writes its own. The back-pressure is this: a client that does
// not read blocks its handler in Send, its queue fills, and while no queue has
// room nothing is pulled.

// pushHub holds the groups by what makes streams equal. Its lock comes before
// those of the groups.
type pushHub struct {
	mu     sync.Mutex
	groups map[string]*pushGroup
}

// StreamActivatedJobs pushes jobs as they become activatable, until the client
// or the gateway goes.
func (s service) StreamActivatedJobs(req *pb.StreamActivatedJobsRequest, stream grpc.ServerStreamingServer[pb.ActivatedJob]) error {
	if err := checkTenants("StreamActivatedJobs", req.GetTenantIds()...); err != nil {
		return err
	}
	if strings.TrimSpace(req.GetType()) == "" { // unlike ActivateJobs, which takes blanks (seen on Zeebe 8.6.0)
		return invalidArgument("Expected to stream activated jobs with type to be present, but it was blank")
	}
	if req.GetTimeout() < 1 {
		return invalidArgument("Expected to stream activated jobs with timeout to be greater than zero, but it was %d", req.GetTimeout())
	}
	g, c := s.join(req)
	defer s.leave(g, c)
	ctx := stream.Context()
	for {
		select {
		case job := <-c.jobs:
			if err := g.send(ctx, c, stream, job); err != nil {
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
func (g *pushGroup) send(ctx context.Context, c *pushClient, stream grpc.ServerStreamingServer[pb.ActivatedJob], job protocol.Job) error {
	err := ctx.Err()
	if err == nil {
		g.writes(c)
		err = stream.Send(activatedJob(&job))
		g.wrote(c)
	}
	if err == nil {
		err = ctx.Err() // gone already: the message was not what it read last
	}
	if err != nil {
		g.s.yield([]protocol.Job{job})
		return context.Canceled
	}
	return nil
}

// join finds or makes the group of a request and adds a client to it.
func (s *Server) join(req *pb.StreamActivatedJobsRequest) (*pushGroup, *pushClient) {
	key := groupKey(req)
	h := &s.pushing
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[key]
	if g == nil {
		g = &pushGroup{
			s: s, key: key, room: make(chan struct{}, 1),
			template: protocol.ActivateJobs{
				Type: req.GetType(), Worker: req.GetWorker(), Timeout: req.GetTimeout(),
				FetchVariables: req.GetFetchVariable(), Park: true,
			},
		}
		g.ctx, g.end = context.WithCancelCause(s.stopped) // whose cause is stopping
		h.groups[key] = g
	}
	return g, g.add()
}

// groupKey tells streams apart. All have the same tenant.
func groupKey(req *pb.StreamActivatedJobsRequest) string {
	parts := []string{req.GetType(), req.GetWorker(), strconv.FormatInt(req.GetTimeout(), 10)}
	b := strings.Builder{}
	for _, p := range append(parts, req.GetFetchVariable()...) {
		b.WriteString(strconv.Itoa(len(p)) + ":" + p)
	}
	return b.String()
}

// leave takes a client out of its group, which ends with the last.
func (s *Server) leave(g *pushGroup, c *pushClient) {
	s.pushing.mu.Lock()
	if g.remove(c) == 0 {
		s.pushing.close(g, context.Canceled)
	}
	s.pushing.mu.Unlock()
}

// close ends a group for all its clients. The caller holds the lock.
func (h *pushHub) close(g *pushGroup, why error) {
	g.end(why)
	if h.groups[g.key] == g {
		delete(h.groups, g.key)
	}
}

// pullFrom is the puller of one partition.
func (g *pushGroup) pullFrom(p protocol.PartitionID) {
	var b backoff
	for g.waitForRoom() {
		jobs, err := g.park(p)
		if len(jobs) > 0 {
			b.reset()
			g.deliver(jobs)
			continue
		}
		var rejection *protocol.Rejection
		if errors.As(err, &rejection) {
			g.s.pushing.mu.Lock()
			g.s.pushing.close(g, err)
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

// deliver gives jobs to the clients, in order. If none has room for a while, or
// the last is gone, the rest is handed back.
func (g *pushGroup) deliver(jobs []protocol.Job) {
	var stalled *time.Timer
	for len(jobs) > 0 {
		n := g.put(jobs)
		if jobs = jobs[n:]; len(jobs) == 0 {
			break
		}
		if stalled == nil {
			stalled = time.NewTimer(g.s.tuning.stall)
			defer stalled.Stop()
		} else if n > 0 {
			stalled.Reset(g.s.tuning.stall)
		}
		select {
		case <-g.room:
		case <-stalled.C:
			g.s.yield(jobs)
			return
		case <-g.ctx.Done():
			g.s.yield(jobs)
			return
		}
	}
	g.signal() // another puller may wait for what is left
}
