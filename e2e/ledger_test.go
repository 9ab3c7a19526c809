package e2e_test

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/e2e/history"
)

// verdict is what a client may conclude from the answer to a call.
type verdict int

const (
	acknowledged verdict = iota // it happened, and it lasts
	refused                     // it has certainly not happened
	unknown                     // nobody can tell
	wrong                       // an answer that no call of a test deserves
)

// judge reads a call's error as a careful client would. What a ledger asks for is
// never denied.
func judge(err error) verdict {
	switch history.Judge(err) {
	case history.Done:
		return acknowledged
	case history.Refused:
		return refused
	case history.Unknown:
		return unknown
	}
	return wrong
}

// ledger keeps the books of a load: what was asked, what was answered, and what
// came of it. Every test under load ends with its audit.
type ledger struct {
	mu       sync.Mutex
	next     int
	creates  map[int]*creation
	jobs     map[int64]*job
	deployed []deployedVersion
	counts   map[string]int
	wrong    []string // what must never happen and did
}

// creation is one call to create an instance with one job.
type creation struct {
	verdict   verdict
	answered  bool
	instance  int64           // as acknowledged
	instances map[int64]int64 // as seen by workers: instance, job
}

// job is what workers know of one job.
type job struct {
	id       int
	attempts int       // completions sent
	unsure   bool      // one of them had an unknown outcome
	done     time.Time // when a completion was acknowledged
}

type deployedVersion struct {
	key     string
	version int32
}

func newLedger() *ledger {
	return &ledger{creates: map[int]*creation{}, jobs: map[int64]*job{}, counts: map[string]int{}}
}

func (l *ledger) violation(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// begin notes that a creation is asked for and gives it an id.
func (l *ledger) begin() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	l.creates[l.next] = &creation{verdict: unknown, instances: map[int64]int64{}}
	return l.next
}

// created notes the answer to a creation.
func (l *ledger) created(id int, instance int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.creates[id]
	c.answered, c.verdict, c.instance = true, judge(err), instance
	l.count("create", err)
}

// count notes the answer to a call, and that it was wrong if it was. The caller
// holds the lock.
func (l *ledger) count(what string, err error) {
	l.counts[what+" "+code(err).String()]++
	if judge(err) == wrong {
		l.violation("%s: %v", what, err)
	}
}

// answered notes the answer to a call whose effect is not followed further.
func (l *ledger) answered(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(what, err)
}

// handed notes a job that a worker was given by a call that began at asked.
func (l *ledger) handed(id int, instance, key int64, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.creates[id]
	if c == nil {
		l.violation("job %d is of creation %d, which nobody asked for", key, id)
		return
	}
	if former, ok := c.instances[instance]; ok && former != key {
		l.violation("instance %d has two jobs: %d and %d", instance, former, key)
	}
	c.instances[instance] = key
	j := l.jobs[key]
	if j == nil {
		j = &job{id: id}
		l.jobs[key] = j
	}
	if j.id != id {
		l.violation("job %d is of creation %d and of %d: a key was given twice", key, j.id, id)
	}
	if !j.done.IsZero() && asked.After(j.done) {
		l.violation("job %d was handed out again after its completion was acknowledged", key)
	}
}

// completing notes that a completion is sent.
func (l *ledger) completing(key int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs[key].attempts++
}

// completed notes the answer to a completion.
func (l *ledger) completed(key int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j := l.jobs[key]
	if code(err) == codes.NotFound {
		// Right if another attempt may have come first.
		if l.counts["complete NotFound"]++; j.attempts < 2 {
			l.violation("job %d is gone, but nobody else has completed it: %v", key, err)
		}
		return
	}
	l.count("complete", err)
	switch judge(err) {
	case acknowledged:
		if !j.done.IsZero() {
			l.violation("job %d was completed twice", key)
		}
		j.done = time.Now()
	case unknown:
		j.unsure = true
	}
}

// deployment notes an acknowledged deployment. One caller makes them all, one
// after the other, so versions must rise.
func (l *ledger) deployment(key string, version int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.deployed); n > 0 && version <= l.deployed[n-1].version {
		l.violation("deployment %s has version %d after version %d", key, version, l.deployed[n-1].version)
	}
	l.deployed = append(l.deployed, deployedVersion{key, version})
}

// latest is the newest acknowledged version.
func (l *ledger) latest() int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.deployed); n > 0 {
		return l.deployed[n-1].version
	}
	return 0
}

// of counts calls by name and status code.
func (l *ledger) of(what string, c codes.Code) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[what+" "+c.String()]
}

// audit compares what was answered with what has come of it. The load has
// ended and workers have found no more jobs.
func (l *ledger) audit() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.creates {
		l.auditCreation(id, c)
	}
	for key, j := range l.jobs {
		if j.done.IsZero() && !j.unsure {
			l.violation("job %d of creation %d is gone, but no completion of it was acknowledged or unknown", key, j.id)
		}
	}
	return l.wrong
}

func (l *ledger) auditCreation(id int, c *creation) {
	switch {
	case !c.answered:
		l.violation("creation %d was never answered", id)
	case len(c.instances) > 1:
		l.violation("creation %d was executed %d times: %v", id, len(c.instances), c.instances)
	case c.verdict == acknowledged && c.instances[c.instance] == 0:
		l.violation("creation %d was acknowledged as instance %d and is lost (seen: %v)", id, c.instance, c.instances)
	case c.verdict == refused && len(c.instances) > 0:
		l.violation("creation %d was refused as not executed, and was: %v", id, c.instances)
	}
}
