package raftadapter

import (
	"sync"

	"github.com/hashicorp/raft"
)

// pipeline ends itself with the first request that the follower has not taken.
//
// Raft stops to read answers then, and makes a new pipeline; but while it is about
// to, it goes on sending on this one. With enough requests under way the sending
// waits for answers to be read, for ever: nothing is replicated to that follower
// any more, and Shutdown does not end. A follower without room refuses every
// request, so it meets this sooner or later. Once the pipeline is closed the
// sending fails, and raft begins anew.
type pipeline struct {
	raft.AppendPipeline
	answers chan raft.AppendFuture
	closed  chan struct{}
	once    sync.Once
}

// AppendEntriesPipeline is how raft sends entries to a follower that keeps up.
func (t *transport) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	p, err := t.NetworkTransport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return newPipeline(p), nil
}

func newPipeline(inner raft.AppendPipeline) *pipeline {
	p := &pipeline{AppendPipeline: inner, answers: make(chan raft.AppendFuture), closed: make(chan struct{})}
	go p.forward()
	return p
}

// forward hands answers on, up to the first bad one.
func (p *pipeline) forward() {
	for {
		select {
		case a := <-p.AppendPipeline.Consumer():
			bad := a.Error() != nil || !a.Response().Success
			select {
			case p.answers <- a:
			case <-p.closed:
				return
			}
			if bad {
				_ = p.AppendPipeline.Close() // it only gives the connection back; raft closes it too
				return
			}
		case <-p.closed:
			return
		}
	}
}

// Consumer gives the answers in order.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.answers }

// Close ends the pipeline; it may be called more than once.
func (p *pipeline) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.AppendPipeline.Close()
}
