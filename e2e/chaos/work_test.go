package chaos

import (
	"fmt"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/history"
)

// work is what a worker does with an order's job: most often it completes it.
func (a *actor) work(gateway int, j job) {
	a.mu.Lock()
	o := a.orders[j.ID]
	if o != nil {
		o.job, a.byJob[j.GetKey()] = j.GetKey(), o
	}
	a.mu.Unlock()
	if o == nil {
		a.h.Violation("job %d is of order %d, which nobody asked for", j.GetKey(), j.ID)
		return
	}
	o.Take(a.client, j.GetProcessInstanceKey(), j.GetKey(), j.V, j.lock)
	draw := a.IntN(100)
	switch {
	case draw < 75 || a.settling.Load():
		a.complete(gateway, o, j.GetKey())
	case draw < 82:
		a.fail(gateway, o, j.GetKey(), 3, 0)
	case draw < 87:
		a.fail(gateway, o, j.GetKey(), 3, 200*time.Millisecond)
	case draw < 92:
		a.fail(gateway, o, j.GetKey(), 0, 0)
	case draw < 95:
		a.cancel(gateway, o, j.GetProcessInstanceKey())
	case draw < 98:
		a.mu.Lock()
		o.value++
		value := o.value
		a.mu.Unlock()
		a.set(gateway, o, j.GetProcessInstanceKey(), value)
		a.complete(gateway, o, j.GetKey())
	default: // its lock runs out
	}
}

// complete completes a job, and once more through another gateway if the outcome is
// unknown.
func (a *actor) complete(gateway int, o *order, key int64) {
	for range 2 {
		ctx, cancel := within()
		call := o.Complete(a.client, key)
		_, err := a.clients[gateway].CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: key})
		cancel()
		if call.End(err) != history.Unknown {
			return
		}
		gateway = (gateway + 1) % len(a.clients)
	}
}

func (a *actor) fail(gateway int, o *order, key int64, retries int32, pause time.Duration) {
	ctx, cancel := within()
	defer cancel()
	var call history.OrderCall
	if retries > 0 {
		call = o.Fail(a.client, key, pause > 0)
	} else {
		call = o.Stop(a.client, key)
	}
	back := a.h.Releasing(key)
	_, err := a.clients[gateway].FailJob(ctx, &pb.FailJobRequest{JobKey: key, Retries: retries, RetryBackOff: pause.Milliseconds()})
	back(call.End(err))
}

// resolve looks for incidents of the load and ends them.
func (a *actor) resolve() {
	node := a.IntN(len(a.clients))
	if !a.up(node) {
		return
	}
	ctx, cancel := within()
	defer cancel()
	list, err := a.c.Nodes[node].Incidents(ctx)
	if err != nil {
		return // the node is busy with faults; the next turn asks another one
	}
	for _, i := range list.Incidents {
		key, job := number(i.Key), number(i.JobKey)
		a.mu.Lock()
		o := a.byJob[job]
		a.mu.Unlock()
		if o == nil {
			// Of an order whose job was never handed to anybody: none can be.
			a.h.Violation("incident %s of job %s, which nobody has failed: %s", i.Key, i.JobKey, i.Message)
			continue
		}
		a.mend(node, o, job, key)
	}
}

func (a *actor) mend(gateway int, o *order, job, incident int64) {
	ctx, cancel := within()
	defer cancel()
	call := o.Retries(a.client, job)
	_, err := a.clients[gateway].UpdateJobRetries(ctx, &pb.UpdateJobRetriesRequest{JobKey: job, Retries: 2})
	if call.End(err) != history.Done {
		return
	}
	call = o.Resolve(a.client)
	_, err = a.clients[gateway].ResolveIncident(ctx, &pb.ResolveIncidentRequest{IncidentKey: incident})
	call.End(err)
}

func number(text string) (n int64) {
	if _, err := fmt.Sscan(text, &n); err != nil {
		return 0
	}
	return n
}
