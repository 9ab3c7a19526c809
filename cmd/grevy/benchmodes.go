package main

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

// benchMode is one kind of call. Errors of call are *callError.
type benchMode struct {
	prepare func(context.Context, *bench) error
	call    func(context.Context, *bench) error
	work    func(context.Context, *bench) // until ctx ends
}

var benchModes = map[string]benchMode{
	"create": {prepare: deployFor(emptyProcess), call: benchCreate},
	"result": {prepare: deployFor(emptyProcess), call: benchResult},
	"task":   {prepare: deployFor(taskProcess), call: benchResult, work: benchWork},
	"deploy": {prepare: deployFor(emptyProcess), call: benchDeploy},
}

// process is the id of what a mode deploys and of its jobs' type.
func (b *bench) process() string { return "grevy-bench-" + b.mode }

// deployFor deploys the mode's process; the same bytes again are no new version.
func deployFor(model func(id, name string) []byte) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error { return b.deploy(ctx, model(b.process(), "bench")) }
}

func (b *bench) deploy(ctx context.Context, content []byte) error {
	c := b.gateways.next()
	_, err := c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: b.process() + ".bpmn", Content: content}}})
	if err != nil {
		return &callError{c.address, err}
	}
	return nil
}

func (b *bench) request() *pb.CreateProcessInstanceRequest {
	return &pb.CreateProcessInstanceRequest{BpmnProcessId: b.process(), Version: -1, Variables: `{"order":31243}`}
}

func benchCreate(ctx context.Context, b *bench) error {
	c := b.gateways.next()
	if _, err := c.CreateProcessInstance(ctx, b.request()); err != nil {
		return &callError{c.address, err}
	}
	return nil
}

func benchResult(ctx context.Context, b *bench) error {
	c := b.gateways.next()
	if _, err := c.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{Request: b.request()}); err != nil {
		return &callError{c.address, err}
	}
	return nil
}

// versions makes each model of a run, and of all runs, another one.
var versions atomic.Int64

func benchDeploy(ctx context.Context, b *bench) error {
	name := strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.FormatInt(versions.Add(1), 36)
	return b.deploy(ctx, emptyProcess(b.process(), name))
}

// benchWork is a worker as the published clients are: at each gateway a stream
// that jobs are pushed to, and a poll for those that waited before it was open.
func benchWork(ctx context.Context, b *bench) {
	var wg sync.WaitGroup
	for _, c := range b.gateways.clients {
		do := func(j *pb.ActivatedJob) {
			wg.Go(func() {
				if err := complete(ctx, c, j.GetKey()); err != nil && ctx.Err() == nil {
					b.recorder.fail("worker: ", err)
				}
			})
		}
		wg.Go(func() { b.until(ctx, func() error { return b.streamJobs(ctx, c, do) }) })
		wg.Go(func() { b.until(ctx, func() error { return b.pollJobs(ctx, c, do) }) })
	}
	wg.Wait()
}

// until does something again and again.
func (b *bench) until(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		if err := do(); err != nil && ctx.Err() == nil {
			b.recorder.fail("worker: ", err)
			select {
			case <-time.After(afterError):
			case <-ctx.Done():
			}
		}
	}
}

const benchJobTimeout = 10 * time.Second

func (b *bench) streamJobs(ctx context.Context, c gatewayClient, do func(*pb.ActivatedJob)) error {
	stream, err := c.StreamActivatedJobs(ctx, &pb.StreamActivatedJobsRequest{Type: b.process(), Worker: "grevy-bench", Timeout: benchJobTimeout.Milliseconds()})
	if err != nil {
		return &callError{c.address, err}
	}
	for {
		j, err := stream.Recv()
		if err != nil {
			return &callError{c.address, err}
		}
		do(j)
	}
}

func (b *bench) pollJobs(ctx context.Context, c gatewayClient, do func(*pb.ActivatedJob)) error {
	_, err := poll(ctx, c, &pb.ActivateJobsRequest{
		Type: b.process(), Worker: "grevy-bench", Timeout: benchJobTimeout.Milliseconds(), MaxJobsToActivate: int32(b.callers),
		RequestTimeout: benchJobTimeout.Milliseconds(),
	}, do)
	return err
}
