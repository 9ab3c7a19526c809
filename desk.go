package grevy

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

// desk is the actor behind Broker.PID.
type desk struct {
	b     *Broker
	tasks map[string][]context.CancelFunc // by the worker's address and id
}

// deskMailbox is how many messages may wait at the desk, which takes them at
// once: a program that sends more than that gets them back.
const deskMailbox = 10_000

func newDesk(b *Broker) *desk { return &desk{b: b, tasks: map[string][]context.CancelFunc{}} }

// Receive takes what an embedding program sends.
func (d *desk) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actors.Execute:
		d.execute(m, ctx.Sender())
	case *actors.Work:
		d.work(ctx, m)
	case *actor.Terminated:
		for _, cancel := range d.tasks[nameOf(m.Who)] {
			cancel()
		}
		delete(d.tasks, nameOf(m.Who))
	case *actor.Stopping, *actor.Restarting:
		for _, list := range d.tasks {
			for _, cancel := range list {
				cancel()
			}
		}
	}
}

func (d *desk) execute(m *actors.Execute, sender *actor.PID) {
	ctx := m.Context
	if ctx == nil {
		ctx = d.b.life
	}
	done := func(r protocol.Reply, err error) { m.Settle(d.b.System, sender, r, err) }
	if m.Partition != 0 {
		d.b.router.Execute(ctx, m.Partition, m.Command, done)
		return
	}
	p, anywhere := d.b.home(m.Command)
	send := func() { d.b.router.Execute(ctx, p, d.b.upToDate(m.Command), done) }
	switch _, message := m.Command.(*protocol.PublishMessage); {
	case anywhere:
		go func() { done(d.b.anywhere(ctx, d.b.upToDate(m.Command))) }()
	case message && !d.b.marks.held():
		go send() // it waits for the watermark
	default:
		send()
	}
}

func nameOf(pid *actor.PID) string { return pid.GetAddress() + "/" + pid.GetId() }

// work feeds a worker actor with jobs until it stops, from all partitions side by
// side, as many as the worker may still take.
func (d *desk) work(ctx actor.Context, w *actors.Work) {
	task := *w
	if task.Worker == nil {
		task.Worker = ctx.Sender()
	}
	if task.Worker == nil {
		d.b.Log.Error("a worker was announced without its PID, nor by a request of its own", "type", task.Type)
		return
	}
	if task.Timeout == 0 {
		task.Timeout = 5 * 60 * 1000
	}
	if task.MaxActive == 0 {
		task.MaxActive = 32
	}
	if task.Name == "" {
		task.Name = task.Worker.GetId()
	}
	life, cancel := context.WithCancel(d.b.life)
	who := nameOf(task.Worker)
	d.tasks[who] = append(d.tasks[who], cancel)
	ctx.Watch(task.Worker)
	credit := make(chan struct{}, task.MaxActive)
	d.b.wg.Go(func() { d.b.feedFromAll(life, &task, credit) })
}

// feedFromAll feeds a worker from each partition, also from those that are added
// later.
func (b *Broker) feedFromAll(ctx context.Context, w *actors.Work, credit chan struct{}) {
	for p := 1; ctx.Err() == nil; {
		for ; p <= b.partitionCount(); p++ {
			id := protocol.PartitionID(p)
			b.wg.Go(func() { b.feed(ctx, w, id, credit) })
		}
		pause(ctx, time.Second)
	}
}

// feed takes jobs of one partition to a worker. credit holds a token for each job
// that the worker has. While there is no job it holds none of them: it waits with
// a request that locks nothing, so that jobs of other partitions find room.
func (b *Broker) feed(ctx context.Context, w *actors.Work, p protocol.PartitionID, credit chan struct{}) {
	for {
		n := reserve(ctx, credit)
		if n == 0 {
			return
		}
		jobs := b.jobsFor(ctx, w, p, n)
		for i := range jobs {
			b.offer(w, &jobs[i], func() { <-credit })
		}
		for range n - int32(len(jobs)) {
			<-credit
		}
		if len(jobs) == 0 {
			b.awaitJobs(ctx, w.Type, p)
		}
	}
}

// offer hands a job to a worker. The job counts until it is answered, or its lock
// is over: a worker that fails on a message never speaks of it again.
func (b *Broker) offer(w *actors.Work, j *protocol.Job, release func()) {
	finish := sync.OnceFunc(release)
	over := time.AfterFunc(time.Duration(w.Timeout)*time.Millisecond, finish)
	ended := func() {
		over.Stop()
		finish()
	}
	offer := actors.NewJobOffer(*j, b.pid, ended, func() {
		b.yield(j)
		over.Reset(undeliveredPause)
	})
	b.System.Root.RequestWithCustomSender(w.Worker, offer, b.pid)
}

// undeliveredPause is how long a job that a worker's mailbox did not take still
// counts as the worker's, or it would be offered again without end.
const undeliveredPause = time.Second

// yield gives a job back that no worker has seen.
func (b *Broker) yield(j *protocol.Job) {
	c := &protocol.YieldJobs{Keys: []protocol.Key{j.Key}, Deadlines: []int64{j.Deadline}}
	b.router.Execute(b.life, j.Key.Partition(), c, func(_ protocol.Reply, err error) {
		if err != nil {
			b.Log.Info("a job that its worker did not see was not given back: it is offered again when its lock is over", "job", j.Key, "err", err)
		}
	})
}

// reserve takes all tokens that are free, and waits for the first; 0 if ctx ends.
func reserve(ctx context.Context, credit chan struct{}) (n int32) {
	select {
	case credit <- struct{}{}:
		n++
	case <-ctx.Done():
		return 0
	}
	for {
		select {
		case credit <- struct{}{}:
			n++
		default:
			return n
		}
	}
}

func (b *Broker) jobsFor(ctx context.Context, w *actors.Work, p protocol.PartitionID, n int32) []protocol.Job {
	jobs, err := ask[*protocol.Jobs](ctx, b, p, &protocol.ActivateJobs{
		Type: w.Type, Worker: w.Name, Timeout: w.Timeout, Max: n, FetchVariables: w.Fetch,
	})
	if err != nil {
		return nil // awaitJobs pauses before they are asked for again
	}
	return jobs.Jobs
}

// A standing request is sent anew after awaitTime, since its leader may be gone
// without a word, and not sooner than awaitPause after one that has failed.
const (
	awaitTime  = 10 * time.Second
	awaitPause = 100 * time.Millisecond
)

// awaitJobs waits until a partition may have a job of a type.
func (b *Broker) awaitJobs(ctx context.Context, jobType string, p protocol.PartitionID) {
	waiting, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	if _, err := b.Execute(waiting, p, &protocol.AwaitJobs{Type: jobType}); err == nil {
		return
	}
	pause(ctx, awaitPause)
}
