package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/e2e/history"
)

// load is everybody who uses the cluster: at each gateway some who create orders,
// set their variables and cancel them, work on their jobs by poll and by push, send
// mail, and look for the latest version; somebody who deploys, who deletes, who
// throws signals, and who resolves incidents.
type load struct {
	h          *history.Recorder
	c          *cluster.Cluster
	clients    []pb.GatewayClient
	partitions int
	seed       uint64
	everybody  atomic.Int64 // numbers the clients
	up         func(node int) bool

	making, working context.Context // those who begin something, those who end it
	stop, finish    context.CancelFunc
	makers, workers sync.WaitGroup
	settling        atomic.Bool // workers complete whatever they get

	mu      sync.Mutex
	orders  map[int]*order
	byJob   map[int64]*order
	recent  []*order // that somebody may meddle with
	boxes   []*box
	rounds  []*round
	deleted []string // processes whose deletion was acknowledged
	next    int
}

// order is one with what is known of it.
type order struct {
	*history.Order
	instance, job int64
	value         int64 // the last that was sent
	ended         bool  // somebody has tried to cancel it
}

// times of the load.
const (
	callTime = 5 * time.Second
	lockTime = 3 * time.Second
	pace     = 40 * time.Millisecond // between two calls of who creates
)

func newLoad(h *history.Recorder, c *cluster.Cluster, seed uint64, up func(int) bool) *load {
	l := &load{h: h, c: c, clients: c.Clients(), partitions: c.Partitions, seed: seed, up: up, orders: map[int]*order{}, byJob: map[int64]*order{}}
	l.making, l.stop = context.WithCancel(context.Background())
	l.working, l.finish = context.WithCancel(context.Background())
	return l
}

// start begins the load. What it needs is deployed.
func (l *load) start() {
	for gateway := range l.clients {
		l.again(&l.makers, l.making, pace, func(a *actor) { a.create(gateway) })
		l.again(&l.makers, l.making, 2*pace, func(a *actor) { a.meddle(gateway) })
		l.again(&l.makers, l.making, 2*pace, func(a *actor) { a.look(gateway) })
		l.again(&l.makers, l.making, 5*pace, func(a *actor) { a.result(gateway) })
		l.again(&l.makers, l.making, 4*pace, func(a *actor) { a.publish(gateway) })
		l.again(&l.workers, l.working, pace, func(a *actor) { a.poll(gateway, orderJob, a.work) })
		l.again(&l.workers, l.working, pace, func(a *actor) { a.push(gateway, orderJob, a.work) })
		l.again(&l.workers, l.working, pace, func(a *actor) { a.poll(gateway, inboxJob, a.read) })
	}
	l.again(&l.makers, l.making, 20*pace, func(a *actor) { a.deploy() })
	l.again(&l.makers, l.making, 60*pace, func(a *actor) { a.deployAndDelete() })
	l.again(&l.makers, l.making, 50*pace, func(a *actor) { a.signal() })
	l.again(&l.workers, l.working, 20*pace, func(a *actor) { a.resolve() })
}

// actor is one of them: it draws what it does from the seed and its number.
type actor struct {
	*load
	*rand.Rand
	client int
	turn   int
}

// again lets one do something over and over.
func (l *load) again(wg *sync.WaitGroup, ctx context.Context, every time.Duration, do func(*actor)) {
	a := &actor{load: l, client: int(l.everybody.Add(1))}
	a.Rand = rand.New(rand.NewPCG(l.seed, uint64(a.client)))
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ; ; a.turn++ {
			do(a)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// within is the context of one call. It does not end with the load: each call gets
// its answer, or its deadline.
func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), callTime)
}

// newOrder makes one that is not created yet.
func (l *load) newOrder(waits bool) *order {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	o := &order{Order: l.h.Order(l.next, waits)}
	l.orders[l.next] = o
	return o
}

// begin creates an order's instance.
func (a *actor) begin(gateway int, o *order, process, more string) history.Verdict {
	ctx, cancel := within()
	defer cancel()
	call := o.Create(a.client)
	resp, err := a.clients[gateway].CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{
		BpmnProcessId: process, Version: -1, Variables: fmt.Sprintf(`{"id":%d,"v":0%s}`, o.ID(), more),
	})
	v := call.Made(resp.GetProcessInstanceKey(), err)
	if v == history.Done {
		a.mu.Lock()
		o.instance = resp.GetProcessInstanceKey()
		if a.recent = append(a.recent, o); len(a.recent) > 64 {
			a.recent = a.recent[1:]
		}
		a.mu.Unlock()
	}
	return v
}

func (a *actor) create(gateway int) {
	process := taskProcess
	if a.IntN(2) == 0 {
		process = timerProcess
	}
	a.begin(gateway, a.newOrder(false), process, "")
}

// meddle sets the variable of some order, or cancels it.
func (a *actor) meddle(gateway int) {
	a.mu.Lock()
	if len(a.recent) == 0 {
		a.mu.Unlock()
		return
	}
	o := a.recent[a.IntN(len(a.recent))]
	o.value++
	value, instance := o.value, o.instance
	a.mu.Unlock()
	if a.IntN(10) == 0 {
		a.cancel(gateway, o, instance)
		return
	}
	a.set(gateway, o, instance, value)
}

func (a *actor) set(gateway int, o *order, instance, value int64) {
	ctx, cancel := within()
	defer cancel()
	call := o.Set(a.client, value)
	_, err := a.clients[gateway].SetVariables(ctx, &pb.SetVariablesRequest{ElementInstanceKey: instance, Variables: fmt.Sprintf(`{"v":%d}`, value)})
	call.End(err)
}

func (a *actor) cancel(gateway int, o *order, instance int64) history.Verdict {
	a.mu.Lock()
	o.ended = true
	a.mu.Unlock()
	ctx, cancel := within()
	defer cancel()
	call := o.Cancel(a.client)
	_, err := a.clients[gateway].CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: instance})
	return call.End(err)
}

// result awaits what an instance ends with.
func (a *actor) result(gateway int) {
	ctx, cancel := within()
	defer cancel()
	token := fmt.Sprintf("%d-%d", a.client, a.turn)
	resp, err := a.clients[gateway].CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{
		Request:        &pb.CreateProcessInstanceRequest{BpmnProcessId: resultProcess, Version: -1, Variables: `{"token":"` + token + `"}`},
		RequestTimeout: callTime.Milliseconds(),
	})
	switch a.h.Count("result", err) {
	case history.Done:
		if !strings.Contains(resp.GetVariables(), `"`+token+`"`) {
			a.h.Violation("the result of %s is %s", token, resp.GetVariables())
		}
	case history.Denied:
		a.h.Violation("an instance of %s was denied: %v", resultProcess, err)
	}
}

func gatewayName(node int) string { return fmt.Sprintf("gateway %d", node) }

// look creates an instance of the latest version.
func (a *actor) look(gateway int) {
	ctx, cancel := within()
	defer cancel()
	seen := a.h.Versions(rolledProcess).Looking(gatewayName(gateway))
	resp, err := a.clients[gateway].CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: rolledProcess, Version: -1})
	switch a.h.Count("create latest", err) {
	case history.Done:
		seen(resp.GetVersion())
	case history.Denied: // it is deployed before the load begins
		a.h.Violation("gateway %d knows no version of %s: %v", gateway, rolledProcess, err)
	}
}

// variables are what jobs bring.
type variables struct {
	ID    int    `json:"id"`
	V     int64  `json:"v"`
	Box   int    `json:"box"`
	M     int64  `json:"m"`
	Token string `json:"token"`
}

// job is one that was handed to a worker.
type job struct {
	*pb.ActivatedJob
	variables
	lock history.Lock
}

// given reads a job. since is when the call began that brought it. The broker's own
// word for when it was locked makes that narrower, if its clock can be right.
func (a *actor) given(j *pb.ActivatedJob, since time.Duration) (job, bool) {
	got := job{ActivatedJob: j, lock: history.Lock{
		Worker: fmt.Sprintf("%s, client %d", j.GetWorker(), a.client), Asked: since, Received: a.h.Now(),
		Deadline: time.UnixMilli(j.GetDeadline()), Timeout: lockTime,
	}}
	if err := json.Unmarshal([]byte(j.GetVariables()), &got.variables); err != nil {
		a.h.Violation("variables of job %d: %q: %v", j.GetKey(), j.GetVariables(), err)
		return got, false
	}
	const slack = 20 * time.Millisecond
	ago := time.Since(got.lock.Deadline.Add(-lockTime)) + slack
	if taken := got.lock.Received - ago; ago > 0 && taken > since {
		got.lock.Asked = taken
	}
	return got, true
}

// poll is one long poll and what is done with the jobs that it brings. They are
// worked on when it has ended: only then is it known whether all of them count as
// delivered.
func (a *actor) poll(gateway int, jobType string, do func(gateway int, j job)) {
	ctx, cancel := context.WithTimeout(a.working, callTime)
	defer cancel()
	since := a.h.Now()
	stream, err := a.clients[gateway].ActivateJobs(ctx, &pb.ActivateJobsRequest{
		Type: jobType, Worker: fmt.Sprintf("poll-%d", gateway), Timeout: lockTime.Milliseconds(), MaxJobsToActivate: 8, RequestTimeout: 500,
	})
	var jobs []job
	for err == nil {
		var resp *pb.ActivateJobsResponse
		if resp, err = stream.Recv(); err != nil {
			break
		}
		for _, j := range resp.GetJobs() {
			if got, ok := a.given(j, since); ok {
				jobs = append(jobs, got)
			}
		}
	}
	whole := a.ended("poll", err)
	for _, j := range jobs {
		do(gateway, j)
		if !whole {
			a.h.Loosen(j.GetKey())
		}
	}
}

// ended counts how a stream has ended, and tells whether that was as it should.
func (a *actor) ended(what string, err error) bool {
	if a.working.Err() != nil {
		return false
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	v := a.h.Count(what, err)
	if v == history.Denied {
		a.h.Violation("%s: %v", what, err)
	}
	return v == history.Done
}

// push is one stream of jobs, for some seconds.
func (a *actor) push(gateway int, jobType string, do func(gateway int, j job)) {
	ctx, cancel := context.WithTimeout(a.working, time.Duration(2+a.IntN(20))*time.Second)
	defer cancel()
	since := a.h.Now()
	stream, err := a.clients[gateway].StreamActivatedJobs(ctx, &pb.StreamActivatedJobsRequest{
		Type: jobType, Worker: fmt.Sprintf("push-%d", gateway), Timeout: lockTime.Milliseconds(),
	})
	var keys []int64
	for err == nil {
		var j *pb.ActivatedJob
		if j, err = stream.Recv(); err != nil {
			break
		}
		if got, ok := a.given(j, since); ok {
			keys = append(keys, j.GetKey())
			do(gateway, got)
		}
	}
	a.h.Loosen(keys...)
	if ctx.Err() == nil {
		a.ended("push", err)
	}
}
