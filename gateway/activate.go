package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"

	"github.com/grevy-io/grevy/protocol"
)

// ActivateJobs collects jobs from the partitions and, if there are none, waits
// for some (long polling). The checks of its arguments are the engine's.
func (s service) ActivateJobs(req *pb.ActivateJobsRequest, stream grpc.ServerStreamingServer[pb.ActivateJobsResponse]) error {
	if err := checkTenants("ActivateJobs", req.GetTenantIds()...); err != nil {
		return err
	}
	wait := s.cfg.LongPolling
	if req.GetRequestTimeout() != 0 {
		wait = millis(req.GetRequestTimeout())
	}
	p := &poll{s: s.Server, req: req, stream: stream, ctx: stream.Context(), left: req.GetMaxJobsToActivate(), until: time.Now().Add(wait)}
	// Whoever finds others waiting for the same type stands in line behind them.
	// What the engine might reject is tried at once.
	if wait < 0 || req.GetType() == "" || req.GetTimeout() < 1 || req.GetMaxJobsToActivate() < 1 || !s.polling.hasLine(req.GetType()) {
		p.walk(s.polling.turn(req.GetType(), s.partitions()))
		if p.done() || wait < 0 || p.full {
			return p.result()
		}
	}
	return p.waitForJobs()
}

// poll is one ActivateJobs call.
type poll struct {
	s      *Server
	req    *pb.ActivateJobsRequest
	stream grpc.ServerStreamingServer[pb.ActivateJobsResponse]
	ctx    context.Context
	until  time.Time
	left   int32 // jobs that the client still wants
	sent   int

	ended    error // why nothing more can be done: rejected, or the client is gone
	full     bool  // some partition of the last walk was full
	answered bool  // some partition answered
	refused  error // the last failure of one that did not
}

// visit is how a walk left a partition.
type visit uint8

const (
	skipped visit = iota // not asked
	failed               // did not answer
	empty                // had no jobs
	drained              // had jobs, all are taken
	filled               // had as many as were wanted, or more
)

// done tells that the call has what it can get.
func (p *poll) done() bool { return p.ended != nil || p.sent > 0 }

// result ends the call. Nothing found is no error, unless nobody could look.
func (p *poll) result() error {
	switch {
	case p.ended != nil:
		return p.ended
	case p.sent > 0:
		return nil
	case p.full:
		return noJobsBusy(p.req.GetType())
	case !p.answered && p.refused != nil:
		return p.refused
	}
	return nil
}

// walk asks partitions one after another until the client has what it wants,
// and tells how each was left.
func (p *poll) walk(parts []protocol.PartitionID) []visit {
	p.full = false
	visits := make([]visit, len(parts))
	for i, part := range parts {
		visits[i] = p.ask(part)
		if p.ended != nil || p.sent > 0 && p.left <= 0 {
			break
		}
	}
	return visits
}

// ask takes jobs from one partition, over and over while its answer was cut.
func (p *poll) ask(part protocol.PartitionID) visit {
	if !p.s.broker.HasLeader(part) {
		p.refused = protocol.Refuse(protocol.Unreachable, part, "no leader is known")
		return failed
	}
	taken, limit := false, int64(p.s.cfg.MaxMessageSize)
	for {
		reply, err := p.activate(part, limit)
		if err != nil {
			return p.failure(err)
		}
		p.answered = true
		n := len(reply.Jobs)
		taken = taken || n > 0
		if p.left -= int32(n); !p.deliver(reply.Jobs) {
			return filled
		}
		switch {
		case taken && p.left <= 0:
			return filled
		case !reply.Truncated || n == 0 && limit == 0:
			if taken {
				return drained
			}
			return empty
		case n == 0: // one job larger than our messages: take it as it is
			limit = 0
		}
	}
}

// activate asks for jobs even if the client goes away meanwhile: an answer that
// nobody hears would leave its jobs locked.
func (p *poll) activate(part protocol.PartitionID, limit int64) (*protocol.Jobs, error) {
	ctx, cancel := context.WithTimeout(impatient(context.WithoutCancel(p.ctx)), p.s.cfg.RequestTimeout)
	defer cancel()
	return as[*protocol.Jobs](p.s.call(ctx, part, &protocol.ActivateJobs{
		Type: p.req.GetType(), Worker: p.req.GetWorker(), Timeout: p.req.GetTimeout(), Max: p.left,
		FetchVariables: p.req.GetFetchVariable(), MaxBytes: limit,
	}))
}

func (p *poll) failure(err error) visit {
	var rejection *protocol.Rejection
	var refusal *protocol.Refusal
	switch {
	case errors.As(err, &rejection):
		p.ended = err
	case errors.As(err, &refusal) && refusal.Code == protocol.Full:
		p.full = true
	}
	p.refused = err
	return failed
}

// deliver sends jobs to the client and hands back what does not reach it. A
// client that is gone right after a message was on its way before it got it.
func (p *poll) deliver(jobs []protocol.Job) bool {
	for _, batch := range batches(jobs, p.s.cfg.MaxMessageSize) {
		err := p.ctx.Err()
		if err == nil {
			err = p.stream.Send(&pb.ActivateJobsResponse{Jobs: batch})
		}
		if err == nil {
			err = p.ctx.Err()
		}
		if err != nil {
			p.s.yield(jobs)
			p.ended = context.Canceled
			return false
		}
		p.sent += len(batch)
		jobs = jobs[len(batch):]
	}
	return true
}

// waitForJobs stands in line until there are jobs, or time is up.
func (p *poll) waitForJobs() error {
	timer := time.NewTimer(time.Until(p.until))
	defer timer.Stop()
	if p.req.GetMaxJobsToActivate() < 1 { // wants none: nothing to be woken for
		return p.sleep(timer)
	}
	q, w := p.s.enter(p.req.GetType())
	defer q.leave(w)
	for {
		select {
		case parts := <-w.wake:
			if p.serve(q, w, parts); p.done() {
				return p.result()
			}
		case <-timer.C:
			return p.result()
		case <-p.ctx.Done():
			return p.ctx.Err()
		case <-p.s.stopped.Done():
			return context.Cause(p.s.stopped)
		}
	}
}

func (p *poll) sleep(timer *time.Timer) error {
	select {
	case <-timer.C:
		return p.result()
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-p.s.stopped.Done():
		return context.Cause(p.s.stopped)
	}
}

// serve walks the partitions it was woken for and gives them back to the line
// however the walk ends.
func (p *poll) serve(q *queue, w *waiter, parts []protocol.PartitionID) {
	visits := make([]visit, len(parts))
	defer func() { q.walked(w, parts, visits, !p.done()) }()
	if p.ended = p.ctx.Err(); p.ended == nil {
		copy(visits, p.walk(parts))
	}
}
