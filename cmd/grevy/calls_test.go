package main

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// A fakeNode is a node of which the test says what it answers.
type fakeNode struct {
	pb.UnimplementedGatewayServer
	adminpb.UnimplementedClusterServer
	get      func() (*adminpb.ClusterState, error)
	jobs     []*pb.ActivatedJob
	activate func(context.Context) error // after the jobs
	changed  atomic.Int64
}

func (n *fakeNode) Get(context.Context, *adminpb.GetRequest) (*adminpb.ClusterState, error) {
	return n.get()
}

func (n *fakeNode) Change(context.Context, *adminpb.ChangeRequest) (*adminpb.ChangeResponse, error) {
	n.changed.Add(1)
	return &adminpb.ChangeResponse{Id: 7, Steps: []string{"one", "two"}}, nil
}

func (n *fakeNode) ActivateJobs(_ *pb.ActivateJobsRequest, s pb.Gateway_ActivateJobsServer) error {
	if len(n.jobs) > 0 {
		if err := s.Send(&pb.ActivateJobsResponse{Jobs: n.jobs}); err != nil {
			return err
		}
	}
	return n.activate(s.Context())
}

// serve gives the node's address.
func (n *fakeNode) serve(t *testing.T) string {
	t.Helper()
	l := listen(t)
	s := grpc.NewServer()
	pb.RegisterGatewayServer(s, n)
	adminpb.RegisterClusterServer(s, n)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", localhost+":0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// silentAddress takes connections and says nothing.
func silentAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func closedAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func down() (*adminpb.ClusterState, error) { return nil, status.Error(codes.Unavailable, "stopping") }

func state(steps ...adminpb.StepState) *adminpb.ClusterState {
	o := &adminpb.Operation{Id: 7, Request: "rebalance"}
	for i, s := range steps {
		o.Steps = append(o.Steps, &adminpb.Step{Text: []string{"one", "two"}[i], State: s})
	}
	if !slices.Contains(steps, adminpb.StepState_STEP_STATE_RUNNING) {
		o.Ended, o.Outcome = 1, "done"
		return &adminpb.ClusterState{Last: o}
	}
	return &adminpb.ClusterState{Operation: o}
}

const (
	isDone    = adminpb.StepState_STEP_STATE_DONE
	isRunning = adminpb.StepState_STEP_STATE_RUNNING
)

// An operation is watched to its end although the node that began it goes away,
// and although another one says for a moment that it can not tell.
func TestCluster_AnOperationIsWatchedAtAnotherNode(t *testing.T) {
	first := &fakeNode{get: down}
	answers := []func() (*adminpb.ClusterState, error){
		func() (*adminpb.ClusterState, error) { return state(isDone, isRunning), nil },
		func() (*adminpb.ClusterState, error) { return nil, status.Error(codes.DeadlineExceeded, "no leader") },
		func() (*adminpb.ClusterState, error) { return state(isDone, isDone), nil },
	}
	var asked atomic.Int64
	second := &fakeNode{get: func() (*adminpb.ClusterState, error) { return answers[asked.Add(1)-1]() }}
	r := grevyRun(t, "cluster", "rebalance", "--wait", "--address", first.serve(t)+","+second.serve(t)).ok(t)
	r.matches(t, "operation 7 has begun, 2 steps", "   1  one", "   2  two")
	if first.changed.Load() != 1 || second.changed.Load() != 0 {
		t.Errorf("begun %d times here and %d there", first.changed.Load(), second.changed.Load())
	}
}

func TestCluster_WhatIsNotPassingEndsTheWatch(t *testing.T) {
	n := &fakeNode{get: func() (*adminpb.ClusterState, error) { return nil, status.Error(codes.Internal, "broken") }}
	if r := grevyRun(t, "cluster", "rebalance", "--wait", "--address", n.serve(t)); r.code != exitError || r.err != "INTERNAL: broken\n" {
		t.Errorf("%+v", r)
	}
}

func TestCluster_AWatchThatIsBrokenOffSaysThatTheOperationGoesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := &fakeNode{get: func() (*adminpb.ClusterState, error) { cancel(); return state(isRunning), nil }}
	r := grevyRunWith(ctx, "", "cluster", "rebalance", "--wait", "--address", n.serve(t))
	if want := "grevy: interrupted; operation 7 goes on: grevy cluster status, or grevy cluster cancel\n"; r.code != exitError || r.err != want {
		t.Errorf("%+v", r)
	}
}

// Of several addresses the first that can be connected to is asked.
func TestClient_AddressesThatDoNotAnswerArePassedOver(t *testing.T) {
	n := &fakeNode{get: func() (*adminpb.ClusterState, error) { return state(isDone, isDone), nil }, activate: func(context.Context) error { return nil }}
	at := strings.Join([]string{closedAddress(t), silentAddress(t), n.serve(t)}, ",")
	grevyRun(t, "cluster", "status", "--address", at).ok(t)
	grevyRun(t, "jobs", "activate", "pay", "--address", at).ok(t).matches(t, "no jobs of type pay")
	one, two := closedAddress(t), closedAddress(t)
	grevyRun(t, "cluster", "status", "--address", one+","+two).nobody(t, one+": connection refused, "+two+": connection refused")
	grevyRun(t, "jobs", "activate", "pay", "--address", one).nobody(t, one+": connection refused")
	grevyRun(t, "create", "order", "--timeout", "10ms", "--address", silentAddress(t)).nobodyInTime(t)
}

// JSON has lists where there are none of something, never null.
func TestCluster_NoStepsAreAnEmptyList(t *testing.T) {
	n := &fakeNode{get: func() (*adminpb.ClusterState, error) { return state(), nil }}
	r := grevyRun(t, "cluster", "status", "-o", "json", "--address", n.serve(t)).ok(t)
	if !strings.Contains(r.out, `"steps":[]`) || strings.Contains(r.out, "null") {
		t.Error(r.out)
	}
}

// "no jobs" is only said when a gateway has said so; what came before an error is
// shown, since it is locked.
func TestJobs_AnErrorIsNotTakenForNoJobs(t *testing.T) {
	n := &fakeNode{activate: func(context.Context) error { return status.Error(codes.Unavailable, "no leader") }}
	at := n.serve(t)
	grevyRun(t, "jobs", "activate", "pay", "--address", at).refused(t, "UNAVAILABLE: no leader", "try again")
	n.jobs = []*pb.ActivatedJob{{Key: 4503599627370505, Type: "pay"}}
	if r := grevyRun(t, "jobs", "activate", "pay", "--address", at); r.code != exitError || !strings.Contains(r.out, "4503599627370505") || !strings.HasPrefix(r.err, "UNAVAILABLE: no leader") {
		t.Errorf("%+v", r)
	}
}

func TestClient_ASignalEndsACall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := &fakeNode{activate: func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }}
	r := grevyRunWith(ctx, "", "jobs", "activate", "pay", "--wait", "1m", "--address", n.serve(t))
	if r.code != exitError || r.out != "" || !strings.HasPrefix(r.err, "grevy: interrupted") || strings.Count(r.err, "\n") != 1 {
		t.Errorf("%+v", r)
	}
	gone, end := context.WithTimeout(t.Context(), time.Nanosecond)
	defer end()
	<-gone.Done()
	if r := grevyRunWith(gone, "", "status", "--http", closedAddress(t)); r.code != exitError || r.err != "grevy: interrupted\n" {
		t.Errorf("%+v", r)
	}
}

// A gateway that goes while a call is under way may have done it: only what a
// gateway itself says of UNAVAILABLE proves that nothing was executed.
func TestClient_ABrokenConnectionProvesNothing(t *testing.T) {
	l := listen(t)
	s := grpc.NewServer()
	n := &fakeNode{activate: func(context.Context) error { return nil }}
	n.get = func() (*adminpb.ClusterState, error) { go s.Stop(); <-t.Context().Done(); return nil, nil }
	adminpb.RegisterClusterServer(s, n)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	grevyRun(t, "cluster", "status", "--address", l.Addr().String()).refused(t, "UNAVAILABLE: ", "it may or may not have happened")
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestConnectReason(t *testing.T) {
	for text, want := range map[string]string{
		`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`:                                  "connection refused",
		`connection error: desc = "transport: Error while dialing: dial tcp: lookup nowhere: no such host"`:                                             "dial tcp: lookup nowhere: no such host",
		`connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`:                   "authentication handshake failed: tls: first record does not look like a TLS handshake",
		`connection error: desc = "error reading server preface: http2: failed reading the frame payload, note that the frame header looked like HTTP"`: "error reading server preface: http2: failed reading the frame payload, note that the frame header looked like HTTP",
	} {
		if got := connectReason(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
