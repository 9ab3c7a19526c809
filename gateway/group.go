package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

const (
	// queued is how many jobs may wait for one client.
	queued = 16
	// credit is how many jobs the pulls of a group may bring per client, over all
	// partitions; minWindow and maxWindow bound the jobs of one pull.
	credit, minWindow, maxWindow = 32, 4, 256
)

// pushGroup serves equal streams.
type pushGroup struct {
	s        *Server
	key      string
	template protocol.ActivateJobs
	ctx      context.Context // ends with the last client
	end      context.CancelCauseFunc
	// room has a token when a client may have got room. Who takes it and leaves
	// room puts it back.
	room chan struct{}

	mu      sync.Mutex
	clients []*pushClient
	next    int // whose turn it is
	pulled  int // partitions that have a puller
}

// pushClient is one stream.
type pushClient struct {
	jobs    chan protocol.Job
	stalled *time.Timer // runs while a message is being written
	// Guarded by the group's mu:
	writing bool // a message is being written
	blocked bool // and has been for too long: the client gets nothing more
}

func (g *pushGroup) add() *pushClient {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &pushClient{jobs: make(chan protocol.Job, queued)}
	c.stalled = time.AfterFunc(time.Hour, func() { g.stall(c) })
	c.stalled.Stop()
	g.clients = append(g.clients, c)
	g.pull()
	g.signal()
	return c
}

// remove takes a client out, hands back what waited for it, and returns how
// many are left.
func (g *pushGroup) remove(c *pushClient) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.clients, c); i >= 0 {
		g.clients = slices.Delete(g.clients, i, i+1)
	}
	g.s.yield(c.drain())
	return len(g.clients)
}

// stall hands back what waits for a client that does not read: others may have
// time for it, and its locks run.
func (g *pushGroup) stall(c *pushClient) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.writing { // else it came just too late
		c.blocked = true
		g.s.yield(c.drain())
	}
}

// drain empties the queue; the caller sees to it that nobody fills it.
func (c *pushClient) drain() []protocol.Job {
	var jobs []protocol.Job
	for {
		select {
		case j := <-c.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
}

// writes and wrote surround the writing of a message; after it the client has
// room.
func (g *pushGroup) writes(c *pushClient) {
	g.mu.Lock()
	c.writing = true
	g.mu.Unlock()
	c.stalled.Reset(g.s.tuning.stall)
}

func (g *pushGroup) wrote(c *pushClient) {
	c.stalled.Stop()
	g.mu.Lock()
	c.writing, c.blocked = false, false
	g.mu.Unlock()
	g.signal()
}

func (g *pushGroup) signal() {
	select {
	case g.room <- struct{}{}:
	default:
	}
}

// put gives jobs to the clients that have room, one each in turn, and returns
// how many it could give.
func (g *pushGroup) put(jobs []protocol.Job) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := range jobs {
		c := g.turn()
		if c == nil {
			return n
		}
		c.jobs <- jobs[n]
	}
	return len(jobs)
}

// turn is the next client that has room, nil if none has. Only put fills queues.
func (g *pushGroup) turn() *pushClient {
	for range g.clients {
		c := g.clients[g.next%len(g.clients)]
		g.next++
		if !c.blocked && len(c.jobs) < cap(c.jobs) {
			return c
		}
	}
	return nil
}

// waitForRoom returns true when a client has room, false when the group ends.
func (g *pushGroup) waitForRoom() bool {
	for g.ctx.Err() == nil {
		g.mu.Lock()
		free := slices.ContainsFunc(g.clients, func(c *pushClient) bool { return !c.blocked && len(c.jobs) < cap(c.jobs) })
		g.mu.Unlock()
		if free {
			g.signal()
			return true
		}
		select {
		case <-g.room:
		case <-g.ctx.Done():
		}
	}
	return false
}

// pull starts a puller for every partition that has none; under the lock.
func (g *pushGroup) pull() {
	for n := max(g.s.partitions(), 1); g.pulled < n; {
		g.pulled++
		p := protocol.PartitionID(g.pulled)
		g.s.background.Go(func() { g.pullFrom(p) })
	}
}

// window is how many jobs one pull may bring.
func (g *pushGroup) window() int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pull() // partitions may have been added
	return int32(min(max(credit*len(g.clients)/g.pulled, minWindow), maxWindow))
}
