package e2e_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	errRefused = status.Error(codes.Unavailable, "Expected to execute command, but it was not accepted: no leader is known")
	errUnknown = status.Error(codes.DeadlineExceeded, "outcome unknown: the leader is gone")
	errGone    = status.Error(codes.NotFound, "no such job was found")
)

// TestBooks proves that the ledger, by which every test under load is judged,
// notices what must never happen, and lets pass what may.
func TestBooks(t *testing.T) {
	t.Parallel()
	early, late := time.Now(), time.Now().Add(time.Hour)
	done := func(l *ledger, key int64, errs ...error) {
		for range errs {
			l.completing(key)
		}
		for _, err := range errs {
			l.completed(key, err)
		}
	}
	for _, c := range []struct {
		name  string
		story func(l *ledger)
		want  string // "": all is well
	}{
		{"acknowledged and done", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 10, 100, early)
			done(l, 100, nil)
		}, ""},
		{"unknown and never seen", func(l *ledger) { l.created(l.begin(), 0, errUnknown) }, ""},
		{"unknown and done, after an unknown completion", func(l *ledger) {
			l.created(l.begin(), 0, errUnknown)
			l.handed(1, 10, 100, early)
			done(l, 100, errUnknown, errGone)
		}, ""},
		{"refused and never seen", func(l *ledger) { l.created(l.begin(), 0, errRefused) }, ""},
		{"acknowledged and lost", func(l *ledger) { l.created(l.begin(), 10, nil) }, "is lost"},
		{"acknowledged as another", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 11, 100, early)
			done(l, 100, nil)
		}, "is lost"},
		{"refused and executed", func(l *ledger) {
			l.created(l.begin(), 0, errRefused)
			l.handed(1, 10, 100, early)
			done(l, 100, nil)
		}, "refused as not executed, and was"},
		{"executed twice", func(l *ledger) {
			l.created(l.begin(), 0, errUnknown)
			l.handed(1, 10, 100, early)
			l.handed(1, 11, 101, early)
			done(l, 100, nil)
			done(l, 101, nil)
		}, "was executed 2 times"},
		{"two jobs of one instance", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 10, 100, early)
			l.handed(1, 10, 101, early)
			done(l, 100, nil)
			done(l, 101, nil)
		}, "has two jobs"},
		{"one key for two jobs", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.created(l.begin(), 11, nil)
			l.handed(1, 10, 100, early)
			l.handed(2, 11, 100, early)
			done(l, 100, nil)
		}, "a key was given twice"},
		{"a done job comes back", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 10, 100, early)
			done(l, 100, nil)
			l.handed(1, 10, 100, late)
		}, "handed out again"},
		{"completed twice", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 10, 100, early)
			done(l, 100, nil, nil)
		}, "completed twice"},
		{"a job is gone by itself", func(l *ledger) {
			l.created(l.begin(), 10, nil)
			l.handed(1, 10, 100, early)
			done(l, 100, errGone)
		}, "nobody else has completed it"},
		{"a false no", func(l *ledger) { l.created(l.begin(), 0, status.Error(codes.NotFound, "no process definition found")) }, "NotFound"},
		{"versions that fall", func(l *ledger) { l.deployment("1", 5); l.deployment("2", 5) }, "after version 5"},
		{"a call without an answer", func(l *ledger) { l.begin() }, "never answered"},
	} {
		l := newLedger()
		c.story(l)
		got := strings.Join(l.audit(), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: the audit says %q, want %q", c.name, got, c.want)
		}
	}
}
