package raftadapter

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// tcp is raft's transport on a port of its own.
func tcp(t *testing.T) *raft.NetworkTransport {
	t.Helper()
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

// Raft reads no answer any more after one that says no, and may have several
// requests to send before it notices. They fail; of raft's own pipeline the second
// one waits for ever, and with it the end of the group.
func TestPipeline_EndsWithARefusal(t *testing.T) {
	t.Parallel()
	follower, leader := tcp(t), &transport{NetworkTransport: tcp(t)}
	go func() {
		for rpc := range follower.Consumer() {
			rpc.Respond(&raft.AppendEntriesResponse{Success: false}, nil)
		}
	}()
	p, err := leader.AppendEntriesPipeline("follower", follower.LocalAddr())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for range 5 {
			req := &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: 3, Addr: []byte("leader")}, Term: 7, Leader: []byte("leader")}
			if _, err := p.AppendEntries(req, new(raft.AppendEntriesResponse)); err != nil {
				ended <- nil
				return
			}
		}
		ended <- fmt.Errorf("all requests were sent, although the first was refused and nobody reads answers")
	}()
	if a := <-p.Consumer(); a.Error() != nil || a.Response().Success {
		t.Errorf("the answer is %+v, %v", a.Response(), a.Error())
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the sending waits for ever")
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Answers that say yes come one after another, as they are sent.
func TestPipeline_HandsAnswersOn(t *testing.T) {
	t.Parallel()
	follower, leader := tcp(t), &transport{NetworkTransport: tcp(t)}
	go func() {
		for rpc := range follower.Consumer() {
			rpc.Respond(&raft.AppendEntriesResponse{Success: true, LastLog: rpc.Command.(*raft.AppendEntriesRequest).PrevLogEntry}, nil)
		}
	}()
	p, err := leader.AppendEntriesPipeline("follower", follower.LocalAddr())
	if err != nil {
		t.Fatal(err)
	}
	const n = 100
	failed := make(chan error, 1)
	go func() {
		for i := range uint64(n) {
			req := &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: 3, Addr: []byte("leader")}, Term: 7, Leader: []byte("leader"), PrevLogEntry: i}
			if _, err := p.AppendEntries(req, new(raft.AppendEntriesResponse)); err != nil {
				failed <- err
				return
			}
		}
	}()
	for i := range uint64(n) {
		select {
		case a := <-p.Consumer():
			if a.Error() != nil || !a.Response().Success || a.Response().LastLog != i {
				t.Fatalf("answer %d is %+v, %v", i, a.Response(), a.Error())
			}
		case err := <-failed:
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
