package raftadapter

import (
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// A node that stopped while a heartbeat of a new term was at work has ended with
// a panic instead: "failed to save current term: raft log is closed".
func TestTransport_HushWaitsForHeartbeats(t *testing.T) {
	end := func() *raft.NetworkTransport {
		n, err := raft.NewTCPTransport("127.0.0.1:0", nil, 1, 10*time.Second, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		return n
	}
	peer, tr := end(), &transport{NetworkTransport: end()}
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	var finished bool // the race detector proves that hush waits
	tr.SetHeartbeatHandler(func(rpc raft.RPC) {
		entered <- struct{}{}
		<-leave
		finished = true
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	})
	beat := func() error {
		req := &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: 3, Addr: []byte("leader")}, Term: 7, Leader: []byte("leader")}
		return peer.AppendEntries("tr", tr.LocalAddr(), req, &raft.AppendEntriesResponse{})
	}
	first := make(chan error, 1)
	go func() { first <- beat() }()
	<-entered
	hushed := make(chan struct{})
	go func() {
		tr.hush()
		if !finished {
			t.Error("hush did not wait for the heartbeat at work")
		}
		close(hushed)
	}()
	close(leave)
	if err := <-first; err != nil {
		t.Error(err)
	}
	<-hushed
	if err := beat(); err == nil || len(entered) > 0 {
		t.Errorf("a heartbeat after that: error %v, handled %d times", err, len(entered))
	}
}
