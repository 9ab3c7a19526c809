package history

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// world is a broker of a few lines, with clients whose calls overlap, are lost, and
// take effect late or never. Everything in it is drawn from a seed. A bug is one
// thing that it does wrong.
type world struct {
	*rand.Rand
	r    *Recorder
	bug  string
	time time.Duration
	plan []event // in order of time
	seq  int
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

func newWorld(seed uint64, bug string) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), r: NewRecorder(), bug: bug}
	w.r.now = func() time.Duration { return w.time }
	return w
}

// buggy tells whether the world has a bug that shows now.
func (w *world) buggy(bug string) bool { return w.bug == bug && w.IntN(2) == 0 }

func (w *world) at(t time.Duration, do func()) {
	w.seq++
	e := event{t, w.seq, do}
	i, _ := slices.BinarySearchFunc(w.plan, e, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) })
	w.plan = slices.Insert(w.plan, i, e)
}

func (w *world) run() {
	for len(w.plan) > 0 {
		e := w.plan[0]
		w.plan = w.plan[1:]
		w.time = e.at
		e.do()
	}
}

func (w *world) soon(most time.Duration) time.Duration {
	return time.Duration(1 + w.Int64N(int64(most)))
}

var (
	errUnknown  = status.Error(codes.DeadlineExceeded, "outcome unknown")
	errRefused  = status.Error(codes.Unavailable, "Expected to execute command, but it was not accepted")
	errNotFound = status.Error(codes.NotFound, "no such")
	errState    = status.Error(codes.FailedPrecondition, "it is in state FAILED")
)

// call makes a call at a time: it begins, is done, is answered. begin notes that it
// begins and returns how its answer is noted; do does it.
func (w *world) call(at time.Duration, begin func() func(error), do func() error) {
	w.at(at, func() {
		end := begin()
		var err error
		done := w.time + w.soon(20*time.Millisecond)
		back := done + w.soon(20*time.Millisecond)
		switch w.IntN(8) {
		case 0: // the answer is lost
			err = errUnknown
			done += w.soon(200 * time.Millisecond)
			if w.IntN(2) == 0 {
				w.at(done, func() { _ = do() })
			}
		case 1:
			err = errRefused
			if w.buggy("refused and done") {
				w.at(done, func() { _ = do() })
			}
		default:
			w.at(done, func() { err = do() })
		}
		w.at(back, func() { end(err) })
	})
}

// thing is the instance that an order is.
type thing struct {
	w             *world
	exists, ended bool
	instance, job int64
	value, former int64
	told, waits   bool
	stopped       bool
	paused        bool
	retries       int
	deadline      time.Duration // of its lock
	locked        bool
}

func (t *thing) alive() bool { return t.exists && !t.ended }

// job does what is about the job, if there is one that may be worked on.
func (t *thing) work(does func()) error {
	switch {
	case !t.alive():
		return errNotFound
	case t.stopped || t.paused:
		return errState
	}
	does()
	return nil
}

func (t *thing) create() error {
	w := t.w
	if w.buggy("lost creation") {
		return nil
	}
	t.exists, t.instance, t.retries = true, w.Int64N(1<<40), 1
	return nil
}

func (t *thing) complete() error {
	w := t.w
	switch {
	case t.ended && w.buggy("completed twice"):
		return nil
	case t.alive() && w.buggy("false not found"):
		return errNotFound
	case t.alive() && w.buggy("lost completion"):
		return nil
	}
	return t.work(func() { t.ended = true })
}

func (t *thing) cancel() error {
	if !t.alive() {
		return errNotFound
	}
	if !t.w.buggy("cancelled and alive") {
		t.ended = true
	}
	return nil
}

func (t *thing) set(v int64) error {
	w := t.w
	if !t.alive() {
		if t.ended && w.buggy("set on what has ended") {
			return nil
		}
		return errNotFound
	}
	if !w.buggy("lost variable") {
		t.former, t.value = t.value, v
	}
	return nil
}

func (t *thing) stop() error { return t.work(func() { t.stopped, t.retries = true, 0 }) }

func (t *thing) resolve() error {
	if !t.alive() || !t.stopped || t.retries == 0 && !t.w.buggy("resolved without retries") {
		return errNotFound
	}
	t.stopped = false
	return nil
}

func (t *thing) giveRetries() error {
	if !t.alive() {
		return errNotFound
	}
	t.retries = 1
	return nil
}

// ready tells whether the job may be handed out now.
func (t *thing) ready() bool {
	w := t.w
	switch {
	case !t.exists, t.waits && !t.told && !w.buggy("not told"):
		return false
	case t.ended:
		return w.buggy("job after the end")
	case t.stopped:
		return w.buggy("job with an incident")
	case t.locked && w.time < t.deadline:
		return w.buggy("two workers")
	}
	return true
}
