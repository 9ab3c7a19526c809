package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// load is a set of clients at all gateways: creators of instances with one job,
// workers for those jobs, creators that wait for a result, and one who deploys.
type load struct {
	*ledger
	t       *testing.T
	c       *cluster.Cluster
	clients []pb.GatewayClient
	create  sync.WaitGroup
	work    sync.WaitGroup
	stop    context.CancelFunc // of those who create
	finish  context.CancelFunc // of the workers
}

// Types of processes under load.
const (
	taskProcess   = "task"   // one job
	resultProcess = "result" // ends at once
	rolledProcess = "rolled" // deployed again and again
)

// pace is the least time between two calls of one caller: enough load that every
// moment has calls under way, little enough for two shared cores.
const pace = 10 * time.Millisecond

// callers is how many of each kind there are at each gateway.
const callers = 2

// jobLock is how long a worker's lock holds: so long may a job stay away that
// was handed to a worker whose gateway died.
const jobLock = 3 * time.Second

// startLoad deploys what the load needs and begins it.
func startLoad(t *testing.T, c *cluster.Cluster) *load {
	t.Helper()
	l := &load{ledger: newLedger(), t: t, c: c, clients: c.Clients()}
	mustDeploy(t, l.clients[0], taskProcess, oneTask(taskProcess))
	mustDeploy(t, l.clients[0], resultProcess, straight(resultProcess, 0))
	mustDeploy(t, l.clients[0], rolledProcess, straight(rolledProcess, 0))
	creating, stop := context.WithCancel(context.Background())
	working, finish := context.WithCancel(context.Background())
	l.stop, l.finish = stop, finish
	t.Cleanup(func() { stop(); finish(); l.create.Wait(); l.work.Wait() })
	for _, client := range l.clients {
		for range callers {
			l.create.Go(func() { l.paced(creating, func() { l.createTask(client) }) })
			l.work.Go(func() { l.paced(working, func() { l.workOnce(working, client) }) })
		}
		l.create.Go(func() { l.paced(creating, func() { l.createResult(client) }) })
	}
	l.create.Go(func() { l.deploys(creating) })
	return l
}

// paced calls f until ctx ends, not more often than the pace.
func (l *load) paced(ctx context.Context, f func()) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		f()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Calls are not ended with the load: each gets its answer, or its deadline.

func (l *load) createTask(client pb.GatewayClient) {
	id := l.begin()
	resp, err := create(context.Background(), client, taskProcess, -1, fmt.Sprintf(`{"id":%d}`, id))
	l.created(id, resp.GetProcessInstanceKey(), err)
}

func (l *load) createResult(client pb.GatewayClient) {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	token := strconv.FormatInt(time.Now().UnixNano(), 10)
	resp, err := client.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{
		Request:        &pb.CreateProcessInstanceRequest{BpmnProcessId: resultProcess, Version: -1, Variables: `{"token":"` + token + `"}`},
		RequestTimeout: callTime.Milliseconds(),
	})
	l.answered("result", err)
	if err == nil && !strings.Contains(resp.GetVariables(), token) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.violation("the result of %s is %s", token, resp.GetVariables())
	}
}

// workOnce is one long poll, and the completion of what it brings.
func (l *load) workOnce(ctx context.Context, client pb.GatewayClient) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	asked := time.Now()
	stream, err := client.ActivateJobs(ctx, &pb.ActivateJobsRequest{
		Type: taskProcess, Worker: "e2e", Timeout: jobLock.Milliseconds(), MaxJobsToActivate: 16, RequestTimeout: 500,
	})
	for err == nil {
		var resp *pb.ActivateJobsResponse
		if resp, err = stream.Recv(); err != nil {
			break
		}
		for _, j := range resp.GetJobs() {
			l.complete(client, j, asked)
		}
	}
	if !errors.Is(err, io.EOF) && ctx.Err() == nil {
		l.answered("activate", err)
	}
}

func (l *load) complete(client pb.GatewayClient, j *pb.ActivatedJob, asked time.Time) {
	var variables struct{ ID int }
	if err := json.Unmarshal([]byte(j.GetVariables()), &variables); err != nil {
		l.answered("variables "+j.GetVariables(), err)
		return
	}
	l.handed(variables.ID, j.GetProcessInstanceKey(), j.GetKey(), asked)
	l.completing(j.GetKey())
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	_, err := client.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: j.GetKey()})
	l.completed(j.GetKey(), err)
}

// deploys makes new versions of one process through the gateways in turn.
func (l *load) deploys(ctx context.Context) {
	tick := time.NewTicker(5 * pace)
	defer tick.Stop()
	for i := 1; ; i++ {
		p, err := deploy(context.Background(), l.clients[i%len(l.clients)], rolledProcess, straight(rolledProcess, i))
		l.answered("deploy", err)
		if err == nil {
			l.deployment(strconv.FormatInt(p.GetProcessDefinitionKey(), 10), p.GetVersion())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// settle ends the load, lets the workers finish what is left, and audits.
func (l *load) settle(d time.Duration) {
	l.t.Helper()
	l.stop()
	l.create.Wait()
	n := l.c.Running()[0]
	cluster.Until(l.t, d, "no job and no instance is left", func(ctx context.Context) error {
		s, err := n.Status(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Partitions {
			if p.Problem != "" || p.Instances != 0 || p.JobsWaiting != 0 || p.JobsActive != 0 {
				return fmt.Errorf("partition %d: %d instances, %d jobs waiting, %d active, problem %q", p.ID, p.Instances, p.JobsWaiting, p.JobsActive, p.Problem)
			}
		}
		return nil
	})
	l.finish()
	l.work.Wait()
	wrong := l.audit()
	for i, w := range wrong {
		if i == 20 {
			l.t.Errorf("and %d more", len(wrong)-i)
			break
		}
		l.t.Error(w)
	}
	l.auditDeployments()
	cluster.Until(l.t, d, "all copies of each partition are the same", func(ctx context.Context) error {
		err := l.c.SameDigests(ctx)
		if errors.Is(err, cluster.ErrDiverged) {
			l.t.Fatal(err)
		}
		return err
	})
	l.t.Log(l.summary())
}

// auditDeployments looks for every acknowledged deployment, and creates an
// instance of the last one everywhere.
func (l *load) auditDeployments() {
	l.t.Helper()
	l.mu.Lock()
	acked := slices.Clone(l.deployed)
	l.mu.Unlock()
	if len(acked) == 0 {
		l.t.Error("no deployment was acknowledged under this load")
		return
	}
	for _, n := range l.c.Running() {
		drained(l.t, n, drainTime)
		onEveryPartition(l.t, n, l.c.Partitions, rolledProcess, l.latest())
	}
	list, err := l.c.Running()[0].Deployments(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	there := map[string]int32{}
	for _, d := range list {
		for _, def := range d.Definitions {
			there[def.Key] = def.Version
		}
	}
	for _, d := range acked {
		if there[d.key] != d.version {
			l.t.Errorf("deployment of version %d, key %s, was acknowledged and is lost", d.version, d.key)
		}
	}
}

func (l *load) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(l.counts)) {
		fmt.Fprintf(&b, "%s: %d  ", what, l.counts[what])
	}
	return b.String()
}
