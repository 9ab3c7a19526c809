package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

// together lets some callers do what is to be done n times. The first error
// ends it.
func together(ctx context.Context, callers, n int, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for next.Add(1) <= int64(n) && ctx.Err() == nil {
				if err := do(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// poll asks a gateway once for jobs, waiting up to wait for the first.
func poll(ctx context.Context, c gatewayClient, req *pb.ActivateJobsRequest, take func(*pb.ActivatedJob)) (n int, err error) {
	stream, err := c.ActivateJobs(ctx, req)
	if err != nil {
		return 0, &callError{c.address, err}
	}
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, &callError{c.address, err}
		}
		for _, job := range reply.GetJobs() {
			n++
			take(job)
		}
	}
}

func complete(ctx context.Context, c gatewayClient, job int64) error {
	if _, err := c.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: job, Variables: "{}"}); err != nil {
		return &callError{c.address, err}
	}
	return nil
}

// workAll does as many jobs as there are instances: one worker at each gateway,
// that completes what it got by several calls at once before it asks again.
func (d *demo) workAll(ctx context.Context) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	var wg sync.WaitGroup
	for _, c := range d.gateways.clients {
		wg.Go(func() {
			for done.Load() < int64(d.result.created) && ctx.Err() == nil {
				if err := d.workOnce(ctx, c, &done); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return int(done.Load()), context.Cause(ctx)
}

func (d *demo) workOnce(ctx context.Context, c gatewayClient, done *atomic.Int64) error {
	jobs := make(chan int64, 64)
	req := &pb.ActivateJobsRequest{Type: demoProcess, Worker: "demo", Timeout: demoDeadline.Milliseconds(), MaxJobsToActivate: int32(cap(jobs)), RequestTimeout: (100 * time.Millisecond).Milliseconds()}
	if _, err := poll(ctx, c, req, func(j *pb.ActivatedJob) { jobs <- j.GetKey() }); err != nil {
		return err
	}
	return together(ctx, demoCallers, len(jobs), func(ctx context.Context) error {
		if err := complete(ctx, c, <-jobs); err != nil {
			return err
		}
		d.progress.count(int(done.Add(1)), d.result.created)
		return nil
	})
}
