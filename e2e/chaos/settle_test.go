package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/e2e/history"
)

// settle lets everything that was begun come to its end.
func (r *run) settle() {
	r.progress("the last fault is over: everything comes to its end")
	l := r.load
	l.stop()
	l.makers.Wait()
	l.settling.Store(true)
	if r.skewed {
		r.skipTime()
	}
	r.wait(drainsWithin, "every message is there", func(context.Context) error {
		if list := l.undelivered(); len(list) > 0 {
			return fmt.Errorf("%d are not: %s", len(list), list[0])
		}
		return nil
	})
	r.wait(drainsWithin, "everybody who waited for a signal got it", func(context.Context) error { return l.unheard() })
	a := &actor{load: l, client: int(l.everybody.Add(1))}
	for _, round := range l.rounds {
		if len(round.owed) < len(round.orders) || !round.sure {
			a.throw(round)
		}
	}
	r.emptyBoxes(a)
	drained := r.wait(drainsWithin, "no instance and no job is left", r.drained)
	r.report.recovered("everything that was begun has ended", "", drained)
	l.finish()
	l.workers.Wait()
	r.probe.stop()
	for _, o := range l.orders {
		o.Gone()
	}
	for _, b := range l.boxes {
		b.Empty()
	}
}

// skipTime lets all clocks go ahead for good, by more than any of them was: what was
// begun while one was ahead is due then.
func (r *run) skipTime() {
	r.h.Skewed()
	r.c.SetClocks(3 * time.Hour)
}

// unheard tells of an order that waits for a signal which was thrown after it
// waited.
func (l *load) unheard() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, round := range l.rounds {
		for _, o := range round.owed {
			if round.sure && o.job == 0 && !o.ended {
				return fmt.Errorf("instance %d waits for %s", o.instance, round.name)
			}
		}
	}
	return nil
}

// emptyBoxes ends the instances of all boxes, also of those whose creation was not
// certain.
func (r *run) emptyBoxes(a *actor) {
	r.wait(drainsWithin, "no box is left", func(ctx context.Context) error {
		list, err := r.c.Nodes[0].Instances(ctx, inboxProcess)
		if err != nil {
			return err
		}
		for i, instance := range list.Instances {
			asking, cancel := context.WithTimeout(ctx, callTime)
			_, err := a.clients[i%len(a.clients)].CancelProcessInstance(asking, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: number(instance.Key)})
			cancel()
			a.h.Count("cancel inbox", err)
		}
		if len(list.Instances)+len(list.Unheard) > 0 {
			return fmt.Errorf("%d were, %v", len(list.Instances), list.Unheard)
		}
		return nil
	})
}

func (r *run) drained(ctx context.Context) error {
	s, err := r.c.Nodes[0].Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Partitions {
		if p.Problem != "" || p.Instances != 0 || p.JobsWaiting != 0 || p.JobsActive != 0 || p.Incidents != 0 {
			err = fmt.Errorf("partition %d: %d instances, %d jobs wait, %d are locked, %d incidents, %s", p.ID, p.Instances, p.JobsWaiting, p.JobsActive, p.Incidents, p.Problem)
			if list, listing := r.c.Nodes[0].Instances(ctx, ""); listing == nil && len(list.Instances) > 0 {
				err = fmt.Errorf("%w; one is %+v", err, list.Instances[0])
			}
			return err
		}
	}
	return nil
}

// judge makes the last checks and tells what has come of it all.
func (r *run) judge() {
	r.everywhere()
	r.wait(drainsWithin, "every outbox is empty", r.sent)
	r.wait(healthyWithin, "all are healthy", r.healthy)
	r.wait(drainsWithin, "all copies of each partition are the same", func(ctx context.Context) error {
		err := r.c.SameDigests(ctx)
		if errors.Is(err, cluster.ErrDiverged) {
			r.h.Violation("%v", err)
			return nil
		}
		return err
	})
	r.wait(drainsWithin, "few goroutines are left", func(ctx context.Context) error {
		for _, n := range r.c.Running() {
			_, routines, err := needs(ctx, n)
			if err == nil && routines > idleRoutines {
				err = fmt.Errorf("node %d has %.0f", n.ID, routines)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	r.watch.stop()
	logged := r.scanLogs()
	rep, err := r.h.Check(r.t.TempDir())
	if err != nil {
		r.t.Error(err)
	}
	r.t.Logf("seed %d, %s%shistory: %d objects with %d calls, %d locks, %d undecided; %d things wrong",
		*seed, r.report.text(r.h.Counts(), r.watch), logged, rep.Objects, rep.Calls, rep.Locks, rep.Undecided, len(rep.Wrong))
	for i, w := range rep.Wrong {
		if i == 20 {
			r.t.Errorf("and %d more", len(rep.Wrong)-i)
			break
		}
		r.t.Error(w)
	}
	r.report.pictures = rep.Pictures
}

func (r *run) sent(ctx context.Context) error {
	s, err := r.c.Nodes[0].Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Partitions {
		if p.Problem != "" || p.Behind != 0 || p.Pending != 0 {
			return fmt.Errorf("partition %d: behind %d, pending %d, %s", p.ID, p.Behind, p.Pending, p.Problem)
		}
	}
	return nil
}

// everywhere looks for every acknowledged deployment, and for what was deleted, on
// every partition through every gateway.
func (r *run) everywhere() {
	v := r.h.Versions(rolledProcess)
	acked := v.Acknowledged()
	r.wait(drainsWithin, "every deployment is everywhere", func(ctx context.Context) error {
		list, err := r.c.Nodes[0].Deployments(ctx)
		if err != nil {
			return err
		}
		there := map[int64]int32{}
		for _, d := range list {
			if d.State != "everywhere" {
				return fmt.Errorf("deployment %s is %s: %+v", d.Key, d.State, d.Pending)
			}
			for _, def := range d.Definitions {
				there[number(def.Key)] = def.Version
			}
		}
		for key, version := range acked {
			if there[key] != version {
				return fmt.Errorf("version %d with key %d is not there", version, key)
			}
		}
		return nil
	})
	for g, client := range r.load.clients {
		r.wait(drainsWithin, fmt.Sprintf("gateway %d knows the latest version on every partition", g), func(ctx context.Context) error {
			return r.latest(ctx, client, v.Latest())
		})
		for _, id := range r.load.deleted {
			r.wait(drainsWithin, id+" is deleted", func(ctx context.Context) error {
				_, err := client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: id, Version: -1})
				if history.Judge(err) == history.Denied {
					return nil
				}
				return fmt.Errorf("an instance of it was created, or not: %w", err)
			})
		}
	}
}

func (r *run) latest(ctx context.Context, client pb.GatewayClient, version int32) error {
	left := map[int64]bool{}
	for p := 1; p <= r.partitions; p++ {
		left[int64(p)] = true
	}
	for range 10 * r.partitions {
		resp, err := client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: rolledProcess, Version: -1})
		if err != nil {
			return err
		}
		if resp.GetVersion() < version { // a deployment of unknown outcome may be newer
			return fmt.Errorf("version %d, not %d", resp.GetVersion(), version)
		}
		delete(left, resp.GetProcessInstanceKey()>>51)
	}
	if len(left) > 0 {
		return fmt.Errorf("partitions %v made none", left)
	}
	return nil
}

// scanLogs looks for what no log may hold, and tells which errors were logged.
func (r *run) scanLogs() string {
	var b strings.Builder
	for _, n := range r.c.Nodes {
		cried, errs := scan(n.Log())
		for _, line := range cried {
			r.h.Violation("the log of node %d says: %s", n.ID, line)
		}
		for text, count := range errs {
			fmt.Fprintf(&b, "node %d logged %d times as an error: %s\n", n.ID, count, text)
		}
	}
	return b.String()
}

// keepEvidence copies logs and pictures of a run that has failed to where they stay.
func (r *run) keepEvidence() {
	if !r.t.Failed() {
		return
	}
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", fmt.Sprintf("grevy-chaos-seed-%d-", *seed)); err != nil {
			r.t.Error(err)
			return
		}
	}
	files := map[string][]byte{}
	for _, n := range r.c.Nodes {
		files[fmt.Sprintf("node-%d.log", n.ID)] = []byte(n.Log())
	}
	for _, path := range r.report.pictures {
		if b, err := os.ReadFile(path); err == nil {
			files[filepath.Base(path)] = b
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			r.t.Error(err)
		}
	}
	r.t.Logf("logs and pictures are in %s", dir)
}
