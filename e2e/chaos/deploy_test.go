package chaos

import (
	"context"
	"fmt"
	"sync"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/history"
)

func deployOnce(ctx context.Context, c pb.GatewayClient, id string, content []byte) (*pb.ProcessMetadata, error) {
	resp, err := c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: id + ".bpmn", Content: content}}})
	if err != nil {
		return nil, err
	}
	return resp.GetDeployments()[0].GetProcess(), nil
}

// deploy makes a new version of a process.
func (a *actor) deploy() {
	ctx, cancel := within()
	defer cancel()
	done := a.h.Versions(rolledProcess).Deploying()
	p, err := deployOnce(ctx, a.clients[a.turn%len(a.clients)], rolledProcess, straight(rolledProcess, a.turn+1))
	if done(p.GetVersion(), p.GetProcessDefinitionKey(), err) == history.Denied {
		a.h.Violation("a deployment was denied: %v", err)
	}
}

// deployAndDelete deploys a process of its own, uses it, and deletes it.
func (a *actor) deployAndDelete() {
	ctx, cancel := within()
	defer cancel()
	client := a.clients[a.turn%len(a.clients)]
	id := fmt.Sprintf("chaos-deleted-%d", a.turn)
	p, err := deployOnce(ctx, client, id, straight(id, 0))
	if a.denied("deploy to delete", err) != history.Done {
		return
	}
	_, err = client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: id, Version: -1})
	if a.denied("create to delete", err) != history.Done {
		return
	}
	_, err = client.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: p.GetProcessDefinitionKey()})
	if a.denied("delete", err) == history.Done {
		a.mu.Lock()
		a.deleted = append(a.deleted, id)
		a.mu.Unlock()
	}
}

// denied counts an answer that must not be a no.
func (a *actor) denied(what string, err error) history.Verdict {
	v := a.h.Count(what, err)
	if v == history.Denied {
		a.h.Violation("%s: %v", what, err)
	}
	return v
}

// round is a signal with those who waited for it before it was thrown.
type round struct {
	name   string
	orders []*order
	owed   []*order // created for certain
	sure   bool     // it was thrown
}

// signal lets some orders wait, then throws what they wait for until it is certain.
func (a *actor) signal() {
	r := &round{name: fmt.Sprintf("chaos-signal-%d", a.turn)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 2 * len(a.clients) {
		o := a.newOrder(true)
		r.orders = append(r.orders, o)
		wg.Go(func() {
			if a.begin(i%len(a.clients), o, signalProcess, fmt.Sprintf(`,"signal":%q`, r.name)) == history.Done {
				mu.Lock()
				r.owed = append(r.owed, o)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	a.throw(r)
	a.mu.Lock()
	a.rounds = append(a.rounds, r)
	a.mu.Unlock()
}

func (a *actor) throw(r *round) {
	var calls []history.OrderCall
	for _, o := range r.orders {
		calls = append(calls, o.Tell(a.client))
	}
	thrown := history.Refused
	for try := 0; thrown != history.Done && try < 20; try++ {
		ctx, cancel := within()
		_, err := a.clients[(a.turn+try)%len(a.clients)].BroadcastSignal(ctx, &pb.BroadcastSignalRequest{SignalName: r.name})
		cancel()
		if v := a.denied("broadcast", err); v != history.Refused {
			thrown = v
		}
	}
	r.sure = thrown == history.Done
	for _, c := range calls {
		c.Told(thrown)
	}
}
