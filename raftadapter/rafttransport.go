package raftadapter

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/hashicorp/raft"
)

// transport is raft's with three differences.
//
// Heartbeats end before the log closes: raft handles them on the connections'
// goroutines, for which its Shutdown does not wait. One that is still at work
// then cannot save its term, and raft answers that with a panic.
//
// A request that decides who leads is sent again if it met a pooled connection
// whose other end has been closed meanwhile, as all are to a node that was
// restarted. Raft itself would count the vote as refused, and the partition would
// wait for one or two more election timeouts without a leader.
//
// A pipeline of entries ends with the first that a follower refuses (pipeline.go).
type transport struct {
	*raft.NetworkTransport
	beating sync.RWMutex
	hushed  bool
}

// poolSize is how many idle connections to a server raft keeps.
const poolSize = 3

var _ raft.Transport = (*transport)(nil)

// SetHeartbeatHandler is how raft asks for heartbeats on the fast path.
func (t *transport) SetHeartbeatHandler(handle func(raft.RPC)) {
	if handle == nil {
		t.NetworkTransport.SetHeartbeatHandler(nil)
		return
	}
	t.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) {
		t.beating.RLock()
		defer t.beating.RUnlock()
		if t.hushed {
			rpc.Respond(nil, raft.ErrRaftShutdown)
			return
		}
		handle(rpc)
	})
}

// hush waits for heartbeats at work and refuses those that still come.
func (t *transport) hush() {
	t.beating.Lock()
	defer t.beating.Unlock()
	t.hushed = true
}

// RequestVote is answered the same when it is repeated.
func (t *transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
}

// RequestPreVote changes nothing at its receiver.
func (t *transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestPreVote(id, target, args, resp) })
}

// TimeoutNow makes its receiver stand for election, at worst a second time.
func (t *transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return again(func() error { return t.NetworkTransport.TimeoutNow(id, target, args, resp) })
}

// again calls until an attempt has met a living connection. Each attempt that
// has not takes one from the pool; after the last a new one is made.
func again(call func() error) (err error) {
	for range poolSize + 1 {
		if err = call(); !closedByPeer(err) {
			return err
		}
	}
	return err
}

// closedByPeer tells whether the error is that of a connection that was closed
// at its other end.
func closedByPeer(err error) bool {
	var decoding interface{ Cause() error } // msgpack's errors do not unwrap
	if errors.As(err, &decoding) {
		err = decoding.Cause()
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
