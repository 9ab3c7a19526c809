package history

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const lockTime = 60 * time.Millisecond

// orders draws the life of one order with several clients.
func (w *world) order(id int) {
	t := &thing{w: w, waits: w.IntN(4) == 0, job: int64(id + 1)}
	o := w.r.Order(id, t.waits)
	w.call(w.soon(10*time.Millisecond), func() func(error) {
		c := o.Create(1)
		return func(err error) { c.Made(t.key(err), err) }
	}, func() error {
		err := t.create()
		if t.w.buggy("created twice") {
			w.at(w.time+w.soon(50*time.Millisecond), func() { t.instance, t.job = w.Int64N(1<<40), w.Int64N(1<<40) })
		}
		return err
	})
	at := 10 * time.Millisecond
	for n := 4 + w.IntN(8); n > 0; n-- {
		at += w.soon(30 * time.Millisecond)
		w.ask(t, o, at)
	}
	for n := 3 + w.IntN(8); n > 0; n-- {
		w.take(t, o, 10*time.Millisecond+w.soon(at))
	}
	w.at(at+2*time.Second, func() {
		if t.alive() { // what is left is ended by a call that is known to have succeeded
			c := o.Cancel(1)
			t.ended = true
			w.time++
			c.End(nil)
		}
	})
	w.at(at+3*time.Second, func() { o.Gone() })
}

// key is what a creation is answered with.
func (t *thing) key(err error) int64 {
	if err != nil {
		return 0
	}
	if t.instance == 0 {
		return 4711 // the bug is that it is nowhere
	}
	return t.instance
}

// ask draws a call about an order.
func (w *world) ask(t *thing, o *Order, at time.Duration) {
	client := 1 + w.IntN(5)
	end := func(c OrderCall) func(error) { return func(err error) { c.End(err) } }
	switch w.IntN(9) {
	case 0, 1:
		v := w.Int64N(1000)
		w.call(at, func() func(error) { return end(o.Set(client, v)) }, func() error { return t.set(v) })
	case 2:
		w.call(at, func() func(error) { return end(o.Cancel(client)) }, t.cancel)
	case 3:
		w.call(at, func() func(error) { return end(o.Stop(client, t.job)) }, t.stop)
	case 4:
		w.call(at, func() func(error) { return end(o.Retries(client, t.job)) }, t.giveRetries)
	case 5:
		w.call(at, func() func(error) { return end(o.Resolve(client)) }, t.resolve)
	case 6:
		w.fail(t, o, client, at)
	case 7:
		w.call(at, func() func(error) {
			c := o.Tell(client)
			return func(err error) { c.Told(Judge(err)) }
		}, func() error { t.told = t.told || t.alive(); return nil })
	default:
		w.call(at, func() func(error) { return end(o.Complete(client, t.job)) }, t.complete)
	}
}

func (w *world) fail(t *thing, o *Order, client int, at time.Duration) {
	pause := w.IntN(2) == 0
	w.call(at, func() func(error) {
		c, given := o.Fail(client, t.job, pause), w.r.Releasing(t.job)
		return func(err error) { given(c.End(err)) }
	}, func() error {
		return t.work(func() {
			if t.locked = false; pause {
				t.paused = true
				w.at(w.time+w.soon(50*time.Millisecond), func() { t.paused = false })
			}
		})
	})
}

// take lets a worker ask for the job.
func (w *world) take(t *thing, o *Order, at time.Duration) {
	client := 1 + w.IntN(5)
	w.at(at, func() {
		asked := w.time
		w.at(asked+w.soon(20*time.Millisecond), func() {
			if t.paused || !t.ready() {
				return
			}
			t.locked, t.deadline = true, w.time+lockTime
			instance, job, value := t.instance, t.job, t.value
			if w.buggy("stale variable") {
				value = t.former
			}
			lock := Lock{Worker: fmt.Sprint(client), Asked: asked, Timeout: lockTime, Deadline: time.UnixMilli(0).Add(t.deadline)}
			w.at(w.time+w.soon(20*time.Millisecond), func() {
				lock.Received = w.time
				o.Take(client, instance, job, value, lock)
			})
		})
	})
}

// inbox draws the life of one.
func (w *world) inbox(id int) {
	b := w.r.Inbox(id)
	var queue []int64
	at := time.Duration(0)
	for m := int64(1); m < 10; m++ {
		at += w.soon(30 * time.Millisecond)
		w.call(at, func() func(error) {
			c := b.Publish(1+w.IntN(4), m)
			return func(err error) { c.End(err) }
		}, func() error {
			switch {
			case w.buggy("lost message"):
				return nil
			case w.buggy("message twice"):
				queue = append(queue, m)
			}
			queue = append(queue, m)
			if n := len(queue); n > 1 && w.buggy("messages out of order") {
				queue[n-1], queue[n-2] = queue[n-2], queue[n-1]
			}
			return nil
		})
	}
	job := int64(1_000_000 + id*1000)
	var next func()
	next = func() {
		if len(queue) > 0 {
			m := queue[0]
			queue = queue[1:]
			job++
			j := job
			w.at(w.time+w.soon(10*time.Millisecond), func() {
				for range 1 + w.IntN(2) { // perhaps again
					b.Got(1, j, m, Lock{Received: w.time, Deadline: time.UnixMilli(0).Add(w.time)})
				}
				b.Completing(j)
				w.at(w.time+w.soon(60*time.Millisecond), next)
			})
		} else if w.time < 3*time.Second {
			w.at(w.time+w.soon(20*time.Millisecond), next)
		}
	}
	w.at(0, next)
	w.at(5*time.Second, b.Empty)
}

// deployments draws versions and looks at them.
func (w *world) deployments() {
	v := w.r.Versions("p")
	latest, former := int32(0), int32(0)
	at := time.Duration(0)
	for range 12 {
		at += w.soon(30 * time.Millisecond)
		made := int32(0)
		w.call(at, func() func(error) {
			end := v.Deploying()
			return func(err error) { end(made, int64(made), err) }
		}, func() error {
			if w.buggy("a version twice") {
				made = latest
				return nil
			}
			former, latest = latest, latest+1
			made = latest
			return nil
		})
	}
	w.at(at+time.Second, func() { w.look(v, &latest, &former) })
	for range 30 {
		w.at(w.soon(at), func() { w.look(v, &latest, &former) })
	}
}

func (w *world) look(v *Versions, latest, former *int32) {
	end := v.Looking("node 0")
	w.at(w.time+w.soon(10*time.Millisecond), func() {
		got := *latest
		if w.buggy("an older version") {
			got = *former
		}
		if w.buggy("a version of nobody") {
			got = 100
		}
		if got > 0 {
			w.at(w.time+w.soon(10*time.Millisecond), func() { end(got) })
		}
	})
}

func live(t *testing.T, seed uint64, bug string) Report {
	t.Helper()
	w := newWorld(seed, bug)
	for id := range 20 {
		w.order(id)
	}
	for id := range 5 {
		w.inbox(id)
	}
	w.deployments()
	w.run()
	rep, err := w.r.Check(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// A broker that does one thing after the other is never found wrong, whatever its
// clients hear of it and when.
func TestCheck_Honest(t *testing.T) {
	calls := 0
	for seed := range uint64(200) {
		rep := live(t, seed, "")
		if calls += rep.Calls; len(rep.Wrong) > 0 || rep.Undecided > 0 {
			t.Fatalf("seed %d: undecided %d, wrong:\n%s", seed, rep.Undecided, strings.Join(rep.Wrong, "\n"))
		}
	}
	t.Logf("%d calls", calls)
}

// TestCheck_Mutations: each thing that a broker may do wrong is noticed. said is a
// part of what is said of it.
func TestCheck_Mutations(t *testing.T) {
	for _, c := range []struct{ bug, said string }{
		{"lost creation", "order"},
		{"created twice", "order"},
		{"refused and done", "order"},
		{"completed twice", "complete → done"},
		{"lost completion", "order"},
		{"false not found", "complete → NotFound"},
		{"cancelled and alive", "cancel → done"},
		{"set on what has ended", "set("},
		{"lost variable", "set("},
		{"stale variable", "set("},
		{"not told", "take"},
		{"job after the end", "take"},
		{"job with an incident", "stop → done"},
		{"resolved without retries", "resolve → done"},
		{"two workers", "while"},
		{"lost message", "inbox"},
		{"message twice", "inbox"},
		{"messages out of order", "inbox"},
		{"a version twice", "was given twice"},
		{"an older version", "was acknowledged"},
		{"a version of nobody", "before anybody deployed it"},
	} {
		t.Run(c.bug, func(t *testing.T) {
			found := 0
			for seed := range uint64(30) {
				rep := live(t, seed, c.bug)
				if text := strings.Join(rep.Wrong, "\n"); !strings.Contains(text, c.said) {
					continue
				}
				found++
				for _, path := range rep.Pictures {
					if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "<html") {
						t.Errorf("picture %s: %v", path, err)
					}
				}
			}
			if found < 5 {
				t.Errorf("only %d of 30 histories were found wrong", found)
			}
		})
	}
}
