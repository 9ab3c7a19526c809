package history

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Recorder keeps a history. Its methods are safe from any goroutine.
type Recorder struct {
	now func() time.Duration // since the beginning

	mu       sync.Mutex
	objects  map[string]*object
	versions map[string]*Versions
	locks    Locks
	wrong    []string
	counts   map[string]int // by what and verdict
}

// object is one thing with the calls that were about it.
type object struct {
	model *porcupine.Model
	ops   []porcupine.Operation
}

// NewRecorder begins a history.
func NewRecorder() *Recorder {
	start := time.Now()
	return &Recorder{
		now: func() time.Duration { return time.Since(start) }, objects: map[string]*object{}, versions: map[string]*Versions{}, counts: map[string]int{},
		locks: Locks{held: map[int64][]*Lock{}, released: map[int64][]*release{}},
	}
}

// Now is the time in the history.
func (r *Recorder) Now() time.Duration { return r.now() }

// never is when a call returns that has not.
const never = math.MaxInt64

// Violation notes what must never happen and did.
func (r *Recorder) Violation(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf("at %s: ", r.Now().Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// Call is one that is under way.
type Call struct {
	r      *Recorder
	object string
	model  *porcupine.Model
	client int
	input  any
	begun  int64
}

// begin notes that a call is made now.
func (r *Recorder) begin(m *porcupine.Model, object string, client int, input any) *Call {
	return &Call{r: r, object: object, model: m, client: client, input: input, begun: int64(r.Now())}
}

// end notes the answer. What was refused has had no effect, so it is no part of
// the history.
func (c *Call) end(a answer) {
	now := int64(c.r.Now())
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	switch a.verdict {
	case Refused, Wrong:
		return
	case Unknown:
		now = never
	}
	o := c.r.objects[c.object]
	if o == nil {
		o = &object{model: c.model}
		c.r.objects[c.object] = o
	}
	o.ops = append(o.ops, porcupine.Operation{ClientId: c.client, Input: c.input, Call: c.begun, Output: a, Return: now})
}

// answer is what a call came to.
type answer struct {
	verdict Verdict
	code    codes.Code
	key     int64 // of what was made or handed out
	job     int64
	value   int64
}

// Count notes the answer to a call, and that it was wrong if it was. It returns
// the verdict.
func (r *Recorder) Count(what string, err error) Verdict {
	v := Judge(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what+" "+v.String()]++
	if v == Wrong {
		r.wrong = append(r.wrong, fmt.Sprintf("at %s: %s: %v", r.Now().Round(time.Millisecond), what, err))
	}
	return v
}

func (r *Recorder) answer(what string, err error) answer {
	return answer{verdict: r.Count(what, err), code: status.Code(err)}
}

// Counts lists how many calls there were, by what and verdict.
func (r *Recorder) Counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}

// Of counts the calls of a kind with a verdict.
func (r *Recorder) Of(what string, v Verdict) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[what+" "+v.String()]
}

// names lists the objects in order.
func (r *Recorder) names() []string { return slices.Sorted(maps.Keys(r.objects)) }
