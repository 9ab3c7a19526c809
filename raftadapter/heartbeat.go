package raftadapter

import (
	"sync"

	"github.com/hashicorp/raft"
)

// transport is raft's, but for heartbeats: raft handles those on the connections'
// goroutines, for which its Shutdown does not wait. One that is still at work
// when the log closes cannot save its term, and raft answers that with a panic.
type transport struct {
	*raft.NetworkTransport
	beating sync.RWMutex
	hushed  bool
}

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
