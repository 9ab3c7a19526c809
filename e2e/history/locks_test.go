package history

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestLocks: what excuses that a job is given to a second worker, and what does not.
func TestLocks(t *testing.T) {
	const ms = time.Millisecond
	lock := func(asked, taken, received time.Duration) Lock {
		return Lock{Job: 1, Asked: asked, Received: received, Timeout: 100 * ms, Deadline: time.UnixMilli(0).Add(taken + 100*ms)}
	}
	for _, c := range []struct {
		name   string
		second Lock
		story  func(at func(time.Duration), r *Recorder)
		wrong  bool
	}{
		{"after its end", lock(90*ms, 110*ms, 120*ms), nil, false},
		{"before its end", lock(20*ms, 30*ms, 40*ms), nil, true},
		{"before its end, and the broker's clock went ahead", lock(20*ms, 110*ms, 50*ms), nil, true},
		{"given back in between", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(12 * ms)
			back := r.Releasing(1)
			at(20 * ms)
			back(Done)
		}, false},
		{"given back by a call of unknown outcome", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(2 * ms)
			back := r.Releasing(1)
			at(5 * ms)
			back(Unknown)
		}, false},
		{"not given back: refused", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(12 * ms)
			r.Releasing(1)(Refused)
		}, true},
		{"given back before", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(0)
			back := r.Releasing(1)
			at(4 * ms)
			back(Done)
		}, true},
		{"given back afterwards", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(41 * ms)
			r.Releasing(1)(Done)
		}, true},
		{"the gateway may have given it back", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(30 * ms)
			r.Loosen(1)
		}, false},
		{"the gateway may give it back later", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(40*ms + sooner)
			r.Loosen(1)
		}, true},
		{"another one was", lock(20*ms, 30*ms, 40*ms), func(_ func(time.Duration), r *Recorder) { r.Loosen(2) }, true},
		{"a clock jumped", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(15 * ms)
			right := r.Skewed()
			at(20 * ms)
			right()
		}, false},
		{"by a clock that was back, so that it seems to be the first", lock(16*ms, -900*ms, 18*ms), func(at func(time.Duration), r *Recorder) {
			at(17 * ms)
			r.Skewed()
		}, false},
		{"a clock jumped before", lock(20*ms, 30*ms, 40*ms), func(at func(time.Duration), r *Recorder) {
			at(1 * ms)
			right := r.Skewed()
			at(2 * ms)
			right()
		}, true},
	} {
		r := NewRecorder()
		var now time.Duration
		r.now = func() time.Duration { return now }
		r.Locked(lock(5*ms, 10*ms, 15*ms))
		r.Locked(c.second)
		if c.story != nil {
			c.story(func(t time.Duration) { now = t }, r)
		}
		if wrong := r.locks.check(); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s: %v", c.name, wrong)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Verdict
	}{
		{nil, Done},
		{status.Error(codes.ResourceExhausted, "Reached maximum capacity"), Refused},
		{status.Error(codes.Unavailable, "Expected to execute command, but it was not accepted: no leader"), Refused},
		{status.Error(codes.Unavailable, "Cannot accept requests for partition 1. Broker is out of disk space"), Refused},
		{status.Error(codes.Unavailable, "connection error: desc = \"connection refused\""), Refused},
		{status.Error(codes.Unavailable, "error reading from server: EOF"), Unknown},
		{status.Error(codes.DeadlineExceeded, "outcome unknown: the leader is gone"), Unknown},
		{status.Error(codes.Canceled, "context canceled"), Unknown},
		{status.Error(codes.NotFound, "no such job was found"), Denied},
		{status.Error(codes.FailedPrecondition, "it is in state 'FAILED'"), Denied},
		{status.Error(codes.Internal, "panic"), Wrong},
		{status.Error(codes.InvalidArgument, "no"), Wrong},
		{errors.New("what is this"), Wrong},
	} {
		if got := Judge(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// An answer that no call deserves is told.
func TestRecorder_Counts(t *testing.T) {
	r := NewRecorder()
	r.Count("create", nil)
	r.Count("create", status.Error(codes.Internal, "a mistake"))
	rep, err := r.Check(t.TempDir())
	if err != nil || len(rep.Wrong) != 1 || r.Of("create", Done) != 1 || r.Counts()["create wrong"] != 1 {
		t.Errorf("%+v, %v, %v", rep, r.Counts(), err)
	}
}
