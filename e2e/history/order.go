package history

import (
	"fmt"
	"strconv"

	"github.com/anishathalye/porcupine"
	"google.golang.org/grpc/codes"
)

// Order is a process instance with one job, as its clients see it: it is created,
// perhaps told of a signal, its one variable is set, its job is handed out, fails,
// stops on an incident and goes on, and the instance ends by the job's completion
// or by being cancelled. It is named before it has a key, so that what was created
// by a call of unknown outcome is known when it turns up.
type Order struct {
	r    *Recorder
	name string
	id   int
	wait bool
}

// Order names one. If waits, its job comes only after it was told something.
func (r *Recorder) Order(id int, waits bool) *Order {
	return &Order{r: r, name: "order " + strconv.Itoa(id), id: id, wait: waits}
}

// ID is the number of the order.
func (o *Order) ID() int { return o.id }

type orderKind uint8

const (
	orderCreate orderKind = iota
	orderTell
	orderSet
	orderTake
	orderComplete
	orderFail    // retries are left
	orderPause   // the same, with a back-off
	orderStop    // none is left: an incident
	orderRetries // of the job, made some
	orderResolve
	orderCancel
	orderGone // looked for when all is over, and not there
)

var orderWords = [...]string{"create", "tell", "set", "take", "complete", "fail", "pause", "stop", "retries", "resolve", "cancel", "gone"}

// orderCall is the input of the model.
type orderCall struct {
	kind  orderKind
	waits bool  // create
	value int64 // set
	job   int64 // what is about a job
}

// OrderCall is a call about an order that is under way.
type OrderCall struct {
	*Call
	what string
}

func (o *Order) call(client int, in orderCall) OrderCall {
	return OrderCall{o.r.begin(&orderModel, o.name, client, in), orderWords[in.kind]}
}

// End notes the answer to a call.
func (c OrderCall) End(err error) Verdict { return c.Made(0, err) }

// Made notes the answer to a creation, with the key of the instance.
func (c OrderCall) Made(key int64, err error) Verdict {
	a := c.r.answer(c.what, err)
	a.key = key
	c.end(a)
	return a.verdict
}

// Create begins a call that creates the instance, its variable 0.
func (o *Order) Create(client int) OrderCall {
	return o.call(client, orderCall{kind: orderCreate, waits: o.wait})
}

// Tell begins a call that tells the instance what it waits for, and perhaps others
// too: it is not counted here.
func (o *Order) Tell(client int) OrderCall { return o.call(client, orderCall{kind: orderTell}) }

// Told notes the answer to such a call. If it is not certain that it was not done,
// the instance hears of it at any later time.
func (c OrderCall) Told(v Verdict) {
	if v == Done {
		v = Unknown
	}
	c.end(answer{verdict: v})
}

// Set begins a call that sets the variable.
func (o *Order) Set(client int, value int64) OrderCall {
	return o.call(client, orderCall{kind: orderSet, value: value})
}

// Complete begins a call that completes the job.
func (o *Order) Complete(client int, job int64) OrderCall {
	return o.call(client, orderCall{kind: orderComplete, job: job})
}

// Fail begins a call that fails the job, with a back-off or not.
func (o *Order) Fail(client int, job int64, pause bool) OrderCall {
	if pause {
		return o.call(client, orderCall{kind: orderPause, job: job})
	}
	return o.call(client, orderCall{kind: orderFail, job: job})
}

// Stop begins a call that fails the job without any retries left.
func (o *Order) Stop(client int, job int64) OrderCall {
	return o.call(client, orderCall{kind: orderStop, job: job})
}

// Retries begins a call that gives the job retries.
func (o *Order) Retries(client int, job int64) OrderCall {
	return o.call(client, orderCall{kind: orderRetries, job: job})
}

// Resolve begins a call that resolves the job's incident.
func (o *Order) Resolve(client int) OrderCall { return o.call(client, orderCall{kind: orderResolve}) }

// Cancel begins a call that cancels the instance.
func (o *Order) Cancel(client int) OrderCall { return o.call(client, orderCall{kind: orderCancel}) }

// Take notes that a worker was handed the order's job by a call that began at
// since, with the value that its variable had. The locks of the job are noted too.
func (o *Order) Take(client int, instance, job, value int64, lock Lock) {
	c := o.call(client, orderCall{kind: orderTake})
	c.begun = int64(lock.Asked)
	c.end(answer{verdict: Done, key: instance, job: job, value: value})
	lock.Job = job
	o.r.Locked(lock)
}

// Gone notes that the order is nowhere when everything is over.
func (o *Order) Gone() { o.call(0, orderCall{kind: orderGone}).end(answer{verdict: Done}) }

type orderPhase uint8

const (
	phaseNone orderPhase = iota
	phaseOpen
	phaseStopped // by an incident
	phaseClosed
)

// orderState is what one broker would know of an order. Keys are 0 until an
// answer has told them.
type orderState struct {
	phase         orderPhase
	waits, told   bool
	paused        bool // the job's back-off may not be over
	retries       bool // a stopped job has some again
	instance, job int64
	value         int64
}

var orderModel = porcupine.Model{
	Init: func() any { return orderState{} },
	Step: func(s, in, out any) (bool, any) {
		next := s.(orderState)
		ok := next.step(in.(orderCall), out.(answer))
		return ok, next
	},
	DescribeOperation: func(in, out any) string { return in.(orderCall).describe(out.(answer)) },
	DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
}

func (c orderCall) describe(a answer) string {
	text := orderWords[c.kind]
	switch c.kind {
	case orderSet:
		text += fmt.Sprintf("(%d)", c.value)
	case orderTake:
		return fmt.Sprintf("take → instance %d, job %d, value %d", a.key, a.job, a.value)
	}
	if a.verdict == Denied {
		return text + " → " + a.code.String()
	}
	return text + " → " + a.verdict.String()
}

// step does a call, and tells whether it may be answered so. What has an unknown
// outcome is done if it can be.
func (s *orderState) step(c orderCall, a answer) bool {
	before := *s
	switch could := s.do(c, a); {
	case a.verdict == Done:
		return could
	case a.verdict == Denied:
		*s = before
		return before.denies(c, a.code, could)
	case !could:
		*s = before
	}
	return true
}

func (s *orderState) alive() bool { return s.phase == phaseOpen || s.phase == phaseStopped }

// do does a call if that is possible.
func (s *orderState) do(c orderCall, a answer) bool {
	open := s.phase == phaseOpen
	switch c.kind {
	case orderCreate:
		if s.phase != phaseNone {
			return false
		}
		s.phase, s.waits, s.instance = phaseOpen, c.waits, a.key
		return true
	case orderTell:
		s.told = s.told || s.alive()
		return true
	case orderSet:
		if s.alive() {
			s.value = c.value
		}
		return s.alive()
	case orderTake:
		return open && s.take(a)
	case orderComplete:
		s.phase = phaseClosed
		return open
	case orderFail:
		return open
	case orderPause:
		s.paused = true
		return open
	case orderStop:
		s.phase, s.retries = phaseStopped, false
		return open
	case orderRetries:
		s.retries = true
		return s.alive()
	case orderResolve:
		could := s.phase == phaseStopped && s.retries
		s.phase = phaseOpen
		return could
	case orderCancel:
		could := s.alive()
		s.phase = phaseClosed
		return could
	case orderGone:
		return !s.alive()
	}
	return false
}

// take is an activation: of this instance, its one job, with its present value.
func (s *orderState) take(a answer) bool {
	if s.waits && !s.told || a.value != s.value {
		return false
	}
	if s.instance != 0 && s.instance != a.key || s.job != 0 && s.job != a.job {
		return false
	}
	s.instance, s.job, s.paused = a.key, a.job, false
	return true
}

// denies tells whether a call may be answered with a no.
func (s *orderState) denies(c orderCall, code codes.Code, could bool) bool {
	switch c.kind {
	case orderComplete, orderFail, orderPause, orderStop:
		if code == codes.FailedPrecondition {
			return s.phase == phaseStopped || s.phase == phaseOpen && s.paused
		}
	case orderResolve: // it names an incident, which may be another one
		return code == codes.NotFound
	case orderCreate, orderTell, orderTake, orderGone:
		return false
	}
	return code == codes.NotFound && !could && !s.alive()
}
