package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Lock is a job in a worker's hands. A job is given to one worker at a time: to
// the next one only when the lock has run out, or was given back.
type Lock struct {
	Job    int64
	Worker string
	// Asked is when the call began that brought the job, Received when it was here.
	Asked, Received time.Duration
	// Deadline is the broker's word for the end of the lock, by its clock.
	Deadline time.Time
	Timeout  time.Duration
}

// taken is when the broker gave the job, by its clock.
func (l *Lock) taken() time.Time { return l.Deadline.Add(-l.Timeout) }

// release is a call that gives a job back.
type release struct{ begun, ended time.Duration }

// Locks are all that were ever held.
type Locks struct {
	held     map[int64][]*Lock
	released map[int64][]*release
	skewed   []release // when some clock was wrong
}

// Locked notes a job in a worker's hands.
func (r *Recorder) Locked(l Lock) *Lock {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locks.held[l.Job] = append(r.locks.held[l.Job], &l)
	return &l
}

// Loosen notes that a gateway may give jobs back from now on that have reached
// their worker: the call that brought them has ended, by its client's doing or with
// an error. The gateway may have seen that end a little earlier.
func (r *Recorder) Loosen(jobs ...int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range jobs {
		r.locks.released[job] = append(r.locks.released[job], &release{r.Now() - sooner, never})
	}
}

// sooner is by how much a gateway may see the end of a call before its client does.
const sooner = time.Second

// Releasing notes that a call begins that gives a job back. The function that it
// returns notes the answer.
func (r *Recorder) Releasing(job int64) func(Verdict) {
	rel := &release{begun: r.Now(), ended: never}
	return func(v Verdict) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if v != Unknown {
			rel.ended = r.Now()
		}
		if v == Done || v == Unknown {
			r.locks.released[job] = append(r.locks.released[job], rel)
		}
	}
}

// Skewed notes that a clock is wrong from now on. The function that it returns
// notes that all are right.
func (r *Recorder) Skewed() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.locks.skewed)
	r.locks.skewed = append(r.locks.skewed, release{r.Now(), never})
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.locks.skewed[i].ended = r.Now()
	}
}

// check looks at each job's locks in the order in which the broker gave them, by its
// clock: what it gave by a wrong one is left out.
func (l *Locks) check() (wrong []string) {
	for job, all := range l.held {
		held := slices.DeleteFunc(slices.Clone(all), func(a *Lock) bool { return l.skew(a, a) })
		slices.SortFunc(held, func(a, b *Lock) int { return cmp.Or(a.taken().Compare(b.taken()), cmp.Compare(a.Received, b.Received)) })
		for i := 1; i < len(held); i++ {
			if a, b := held[i-1], held[i]; !l.excused(job, a, b) {
				if why := overlap(a, b); why != "" {
					wrong = append(wrong, fmt.Sprintf("job %d was given to %s at %s while %s held it: %s", job, b.Worker, b.Received, a.Worker, why))
				}
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// overlap says why the second lock began before the first one's end.
func overlap(a, b *Lock) string {
	switch {
	case b.taken().Before(a.Deadline):
		return fmt.Sprintf("by the broker's clock %s before its end", a.Deadline.Sub(b.taken()))
	case b.Received < a.Asked+a.Timeout:
		return fmt.Sprintf("by the workers' clock %s before its end", a.Asked+a.Timeout-b.Received)
	}
	return ""
}

// excused tells whether the job may have been given back in between, or a clock
// was wrong.
func (l *Locks) excused(job int64, a, b *Lock) bool {
	return l.skew(a, b) || slices.ContainsFunc(l.released[job], func(r *release) bool { return r.between(a, b) })
}

// skew tells whether a clock was wrong at some time between two locks.
func (l *Locks) skew(a, b *Lock) bool {
	return slices.ContainsFunc(l.skewed, func(r release) bool { return r.between(a, b) })
}

func (r release) between(a, b *Lock) bool { return r.begun < b.Received && r.ended >= a.Asked }
