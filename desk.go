package grevy

import (
	"context"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

// desk is the actor behind Broker.PID.
type desk struct {
	b     *Broker
	tasks map[*actors.PID][]context.CancelFunc // of workers
}

func newDesk(b *Broker) *desk { return &desk{b: b, tasks: map[*actors.PID][]context.CancelFunc{}} }

// Receive takes what an embedding program sends.
func (d *desk) Receive(ctx *actors.Context) {
	switch m := ctx.Message().(type) {
	case *actors.Execute:
		d.execute(m)
	case *actors.Work:
		d.work(ctx, m)
	case actors.Terminated:
		for _, cancel := range d.tasks[m.PID] {
			cancel()
		}
		delete(d.tasks, m.PID)
	case actors.Stopping, actors.Restarting:
		for _, list := range d.tasks {
			for _, cancel := range list {
				cancel()
			}
		}
	}
}

func (d *desk) execute(m *actors.Execute) {
	c, p, ctx := m.Command, m.Partition, m.Context
	if ctx == nil {
		ctx = d.b.life
	}
	if create, ok := c.(*protocol.CreateInstance); ok {
		if p == 0 {
			p = d.b.next()
		}
		if create.DeploymentSeq == 0 {
			create.DeploymentSeq = d.b.marks.known()
		}
	}
	d.b.router.Execute(ctx, p, c, m.Done)
}

// next gives the partitions in turn, those with a leader first.
func (b *Broker) next() protocol.PartitionID {
	for range b.Partitions {
		p := protocol.PartitionID(b.turn.Add(1)%uint64(b.Partitions)) + 1
		if b.hasLeader(p) {
			return p
		}
	}
	return protocol.DeploymentPartition
}

// work feeds a worker actor with jobs until it stops: one standing request per
// partition, that waits at the leader, for as many jobs as the worker may still
// take.
func (d *desk) work(ctx *actors.Context, w *actors.Work) {
	task := *w
	if task.Timeout == 0 {
		task.Timeout = 5 * 60 * 1000
	}
	if task.MaxActive == 0 {
		task.MaxActive = 32
	}
	if task.Name == "" {
		task.Name = task.Worker.String()
	}
	life, cancel := context.WithCancel(d.b.life)
	d.tasks[task.Worker] = append(d.tasks[task.Worker], cancel)
	ctx.Watch(task.Worker)
	credit := make(chan struct{}, task.MaxActive)
	for p := 1; p <= d.b.Partitions; p++ {
		d.b.wg.Go(func() { d.b.feed(life, &task, protocol.PartitionID(p), credit) })
	}
}

// feed takes jobs of one partition to a worker. credit holds a token for each
// job the worker has; the standing request asks for one job and, once it has
// come, for what else is there.
func (b *Broker) feed(ctx context.Context, w *actors.Work, p protocol.PartitionID, credit chan struct{}) {
	for {
		select {
		case credit <- struct{}{}:
		case <-ctx.Done():
			return
		}
		taken := int32(1)
		for more := true; more && taken < w.MaxActive/int32(b.Partitions); {
			select {
			case credit <- struct{}{}:
				taken++
			default:
				more = false
			}
		}
		jobs := b.jobsFor(ctx, w, p, taken)
		for i := range jobs {
			offer := actors.NewJobOffer(jobs[i], func(e *actors.Execute) { b.System.Send(b.pid, e) }, func() { <-credit })
			b.System.Send(w.Worker, offer)
		}
		for range taken - int32(len(jobs)) {
			<-credit
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func (b *Broker) jobsFor(ctx context.Context, w *actors.Work, p protocol.PartitionID, n int32) []protocol.Job {
	reply, err := b.Execute(ctx, p, &protocol.ActivateJobs{
		Type: w.Type, Worker: w.Name, Timeout: w.Timeout, Max: n, FetchVariables: w.Fetch, Park: true,
	})
	jobs, ok := reply.(*protocol.Jobs)
	if err != nil || !ok {
		return nil
	}
	return jobs.Jobs
}
