package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// KindExecute carries a command to the leader of a partition; its answer is
// what protocol.EncodeAnswer makes.
const KindExecute Kind = 1

// Executor takes commands for one partition on this node.
type Executor interface {
	// Serving tells whether the partition's leader takes commands here.
	Serving() bool
	Execute(ctx context.Context, c protocol.Command, done func(protocol.Reply, error))
}

// Directory knows who leads what.
type Directory interface {
	// Executor returns this node's end of a partition, nil if it has none.
	Executor(protocol.PartitionID) Executor
	// Leader returns the node that leads a partition, by the highest term heard
	// of; NoNode if nobody is known.
	Leader(protocol.PartitionID) protocol.NodeID
	// Partitions is how many partitions the cluster has.
	Partitions() int
}

// Router sends commands to leaders. It asks the directory anew at every
// attempt, so that no stale route outlives one refusal (Zeebe issue #60450),
// and sends a command again only after proof that it was not executed.
type Router struct {
	post *Post
	dir  Directory
	self protocol.NodeID
}

// NewRouter makes a router and serves KindExecute on the post.
func NewRouter(post *Post, dir Directory, self protocol.NodeID) *Router {
	r := &Router{post: post, dir: dir, self: self}
	post.Handle(KindExecute, r.serve)
	return r
}

// serve executes another node's command here, and only here.
func (r *Router) serve(ctx context.Context, _ protocol.NodeID, payload []byte, reply func([]byte)) {
	rd := protocol.NewReader(payload)
	p := protocol.PartitionID(rd.Uint())
	c, err := protocol.DecodeCommand(rd.Rest())
	if err != nil {
		reply(protocol.EncodeAnswer(nil, nil, fmt.Errorf("%w: %w", protocol.ErrInternal, err)))
		return
	}
	e := r.dir.Executor(p)
	if e == nil {
		reply(protocol.EncodeAnswer(nil, nil, protocol.Refuse(protocol.NotLeader, p, "")))
		return
	}
	e.Execute(ctx, c, func(res protocol.Reply, err error) {
		if jobs, ok := res.(*protocol.Jobs); ok && ctx.Err() != nil && len(jobs.Jobs) > 0 {
			handBack(e, jobs) // nobody waits for the answer any more
		}
		reply(protocol.EncodeAnswer(make([]byte, 0, 128), res, err))
	})
}

// handBack frees jobs that were locked for somebody who is gone. If that fails
// they come back when their lock runs out.
func handBack(e Executor, jobs *protocol.Jobs) {
	y := &protocol.YieldJobs{}
	for i := range jobs.Jobs {
		y.Keys = append(y.Keys, jobs.Jobs[i].Key)
		y.Deadlines = append(y.Deadlines, jobs.Jobs[i].Deadline)
	}
	e.Execute(context.Background(), y, func(protocol.Reply, error) {})
}

// errand is one command on its way.
type errand struct {
	r       *Router
	ctx     context.Context
	p       protocol.PartitionID
	c       protocol.Command
	payload []byte
	done    func(protocol.Reply, error)
	tries   int
	once    bool // the first refusal is the answer
}

// Execute sends a command to the leader of a partition and calls done once,
// from any goroutine. It tries until the context ends as long as it is certain
// that nothing was executed; then the error is a *protocol.Refusal. A loss
// after that is protocol.ErrOutcomeUnknown.
func (r *Router) Execute(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	if p < 1 || int(p) > r.dir.Partitions() {
		done(nil, protocol.Refuse(protocol.NoPartition, p, ""))
		return
	}
	(&errand{r: r, ctx: ctx, p: p, c: c, done: done}).attempt()
}

// Once is Execute that takes the first refusal for an answer, for callers who
// have another partition to ask.
func (r *Router) Once(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	if p < 1 || int(p) > r.dir.Partitions() {
		done(nil, protocol.Refuse(protocol.NoPartition, p, ""))
		return
	}
	(&errand{r: r, ctx: ctx, p: p, c: c, done: done, once: true}).attempt()
}

func (c *errand) attempt() {
	c.tries++
	if e := c.r.dir.Executor(c.p); e != nil && e.Serving() {
		e.Execute(c.ctx, c.c, c.answer)
		return
	}
	node := c.r.dir.Leader(c.p)
	if node == protocol.NoNode || node == c.r.self {
		c.again(protocol.Refuse(protocol.Unreachable, c.p, "no leader is known"))
		return
	}
	if c.payload == nil {
		c.payload = protocol.EncodeCommand(protocol.AppendUint(make([]byte, 0, 128), uint64(c.p)), c.c)
	}
	c.r.post.Go(c.ctx, node, KindExecute, c.payload, c.returned)
}

// returned is what the post brings back.
func (c *errand) returned(b []byte, err error) {
	switch {
	case err == nil:
		c.answer(protocol.DecodeAnswer(b))
	case errors.Is(err, ErrNotSent):
		c.again(protocol.Refuse(protocol.Unreachable, c.p, "%s", err))
	case errors.Is(err, protocol.ErrOutcomeUnknown), c.ctx.Err() != nil:
		c.done(nil, err)
	default:
		c.done(nil, fmt.Errorf("%w: %w", protocol.ErrOutcomeUnknown, err))
	}
}

// answer is what an executor says, here or there.
func (c *errand) answer(reply protocol.Reply, err error) {
	var refusal *protocol.Refusal
	if errors.As(err, &refusal) && (refusal.Code == protocol.NotLeader || refusal.Code == protocol.Unreachable) {
		c.again(refusal)
		return
	}
	c.done(reply, err)
}

// Pauses between attempts: a new leader is usually known within an election.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = 150 * time.Millisecond
)

// again tries later, or gives up with the last refusal.
func (c *errand) again(last *protocol.Refusal) {
	if c.once || c.ctx.Err() != nil {
		c.done(nil, last)
		return
	}
	pause := min(firstPause<<min(c.tries-1, 10), maxPause)
	if deadline, ok := c.ctx.Deadline(); ok && time.Until(deadline) < pause {
		c.done(nil, last)
		return
	}
	time.AfterFunc(pause, c.attempt)
}
