package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy"
)

// deploy deploys the versions one after another, at the three gateways in turn.
func (d *demo) deploy(ctx context.Context) error {
	d.progress.begin("%s versions of a process, deployed one after another", grouped(d.deployments))
	begun := time.Now()
	for i := 1; i <= d.deployments; i++ {
		c := d.gateways.next()
		reply, err := c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{
			{Name: demoProcess + ".bpmn", Content: taskProcess(demoProcess, "version "+strconv.Itoa(i))},
		}})
		if err != nil {
			return &callError{c.address, err}
		}
		if v := reply.GetDeployments()[0].GetProcess().GetVersion(); v != int32(i) {
			return fmt.Errorf("deployment %d became version %d", i, v)
		}
		d.result.lastKey = strconv.FormatInt(reply.GetKey(), 10)
		d.progress.count(i, d.deployments)
	}
	took := time.Since(begun)
	d.result.Deployments, d.result.DeploymentsPerSecond = d.deployments, rate(d.deployments, took)
	d.progress.done("%s", perSecond(d.deployments, took))
	return nil
}

// awaitEverywhere waits until every partition has the last version, as the
// nodes tell operators.
func (d *demo) awaitEverywhere(ctx context.Context) error {
	d.progress.begin("until every partition has all of them")
	ctx, cancel := context.WithTimeoutCause(ctx, demoDeadline, errors.New("the deployments did not reach every partition within "+demoDeadline.String()))
	defer cancel()
	begun := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		var list []grevy.DeploymentStatus
		at := address(demoHost, grevy.HTTPPort+d.offsets[0])
		if err := fetchFrom(ctx, at, "/api/deployments?limit=1", &list); err != nil {
			return fmt.Errorf("ask %s for deployments: %w", at, err)
		}
		if len(list) == 1 && list[0].Key == d.result.lastKey && list[0].State == "everywhere" {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	d.result.EverywhereMs = float64(time.Since(begun).Microseconds()) / 1000
	d.progress.done("")
	return nil
}

// createOnAll creates instances without a version until every partition had
// one, and holds each of them to be of the last version.
func (d *demo) createOnAll(ctx context.Context) error {
	d.progress.begin("an instance of version %s on every partition", grouped(d.deployments))
	on := map[int]bool{}
	for tries := 1; len(on) < d.nodes[0].Partitions; tries++ {
		if tries > 100 {
			return fmt.Errorf("100 instances went to %d partitions only", len(on))
		}
		reply, err := d.create(ctx)
		if err != nil {
			return err
		}
		if v := reply.GetVersion(); v != int32(d.deployments) {
			return fmt.Errorf("partition %d created version %d", partitionOf(reply.GetProcessInstanceKey()), v)
		}
		on[partitionOf(reply.GetProcessInstanceKey())] = true
		d.result.created++
	}
	d.progress.done("")
	return nil
}

func (d *demo) create(ctx context.Context) (*pb.CreateProcessInstanceResponse, error) {
	c := d.gateways.next()
	reply, err := c.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: demoProcess, Version: -1, Variables: `{"order":31243}`})
	if err != nil {
		return nil, &callError{c.address, err}
	}
	return reply, nil
}

// createMany measures creations by some callers at once.
func (d *demo) createMany(ctx context.Context) error {
	d.progress.begin("%s instances, %d callers", grouped(d.instances), demoCallers)
	begun := time.Now()
	err := together(ctx, demoCallers, d.instances, func(ctx context.Context) error {
		_, err := d.create(ctx)
		return err
	})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	d.result.created += d.instances
	d.result.Instances, d.result.InstancesPerSecond = d.instances, rate(d.instances, took)
	d.progress.done("%s", perSecond(d.instances, took))
	return nil
}

// work does the jobs of all instances.
func (d *demo) work(ctx context.Context) error {
	d.progress.begin("%s jobs", grouped(d.result.created))
	ctx, cancel := context.WithTimeoutCause(ctx, demoDeadline, errors.New("not all jobs came within "+demoDeadline.String()))
	defer cancel()
	begun := time.Now()
	done, err := d.workAll(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	d.result.Jobs, d.result.JobsPerSecond = done, rate(done, took)
	d.progress.done("%s", perSecond(done, took))
	return nil
}
