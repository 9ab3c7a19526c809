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
	t.Parallel()
	peer, tr := tcp(t), &transport{NetworkTransport: tcp(t)}
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

// A vote asked for over connections to a former life of the peer counts.
func TestTransport_VotesAreAskedOfARestartedPeer(t *testing.T) {
	t.Parallel()
	life := func(addr string) *raft.NetworkTransport {
		n, err := raft.NewTCPTransport(addr, nil, poolSize, 10*time.Second, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for rpc := range n.Consumer() {
				switch rpc.Command.(type) {
				case *raft.RequestVoteRequest:
					rpc.Respond(&raft.RequestVoteResponse{Granted: true}, nil)
				case *raft.RequestPreVoteRequest:
					rpc.Respond(&raft.RequestPreVoteResponse{Granted: true}, nil)
				case *raft.TimeoutNowRequest:
					rpc.Respond(&raft.TimeoutNowResponse{}, nil)
				}
			}
		}()
		return n
	}
	tr := &transport{NetworkTransport: life("127.0.0.1:0")}
	peer := life("127.0.0.1:0")
	addr := peer.LocalAddr()
	vote := func(ask func(raft.ServerID, raft.ServerAddress, *raft.RequestVoteRequest, *raft.RequestVoteResponse) error) error {
		return ask("peer", addr, &raft.RequestVoteRequest{Term: 2}, &raft.RequestVoteResponse{})
	}
	restart := func() {
		t.Helper()
		errs := make(chan error, poolSize)
		for range poolSize { // side by side, so that the pool is full
			go func() { errs <- vote(tr.RequestVote) }()
		}
		for range poolSize {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		peer.CloseStreams() // those that it has accepted
		peer = life(string(addr))
	}
	restart()
	if err := vote(tr.NetworkTransport.RequestVote); !closedByPeer(err) {
		t.Fatalf("raft's own transport, over a connection to a former life: %v", err)
	}
	if err := vote(tr.RequestVote); err != nil {
		t.Errorf("vote: %v", err)
	}
	restart()
	if err := tr.RequestPreVote("peer", addr, &raft.RequestPreVoteRequest{Term: 2}, &raft.RequestPreVoteResponse{}); err != nil {
		t.Errorf("pre-vote: %v", err)
	}
	restart()
	if err := tr.TimeoutNow("peer", addr, &raft.TimeoutNowRequest{}, &raft.TimeoutNowResponse{}); err != nil {
		t.Errorf("timeout now: %v", err)
	}
	if err := peer.Close(); err != nil {
		t.Error(err)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
}
