package actors

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Actor handles one message at a time.
type Actor interface {
	Receive(ctx *Context)
}

// Idler is an actor that wants to know when its mailbox has run empty, for
// instance to send off what it has gathered.
type Idler interface {
	Idle(ctx *Context)
}

// Func makes an actor of a function.
type Func func(ctx *Context)

// Receive calls f.
func (f Func) Receive(ctx *Context) { f(ctx) }

// Props says how to make an actor and how to treat it.
type Props struct {
	// Name is unique among the siblings and appears in logs; "" gets a number.
	Name string
	// New makes the actor, at its start and at every restart.
	New func() Actor
	// Mailbox is how many messages may wait; 0: no bound.
	Mailbox int
	// Restart is the pause before a restart; the zero value is DefaultBackoff.
	Restart Backoff
	// Undelivered gets each message that was taken and is not read any more
	// because the actor stopped. May be nil.
	Undelivered func(msg any)
}

// Backoff is a pause that doubles from Min to Max and begins anew after Reset
// without failure.
type Backoff struct{ Min, Max, Reset time.Duration }

// DefaultBackoff is the pause between restarts if nothing else is said.
var DefaultBackoff = Backoff{Min: 10 * time.Millisecond, Max: 2 * time.Second, Reset: 10 * time.Second}

// Messages that the runtime itself sends.
type (
	// Started is the first message of an actor, also after a restart.
	Started struct{}
	// Stopping is the last message of an actor that stops. Its children have
	// stopped.
	Stopping struct{}
	// Restarting is the last message of an actor that failed; the next value
	// begins with Started. Its children have stopped.
	Restarting struct{ Reason error }
	// Terminated tells a watcher that an actor is gone for good.
	Terminated struct{ PID *PID }
)

// PID names an actor, and takes messages for it.
type PID struct {
	path string
	proc *process
}

// String returns the path of the actor, for logs.
func (p *PID) String() string { return p.path }

// System holds actors and their root.
type System struct {
	Log  *slog.Logger
	root *PID
	seq  atomic.Uint64
	// DeadLetters counts messages to actors that are gone and had no
	// Undelivered.
	DeadLetters atomic.Uint64
	// Restarts counts restarts after a failure.
	Restarts atomic.Uint64
}

// NewSystem makes an empty system. log may be nil.
func NewSystem(log *slog.Logger) *System {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &System{Log: log}
	s.root = s.spawn(nil, Props{Name: "", New: func() Actor { return Func(func(*Context) {}) }})
	return s
}

// Spawn starts an actor at the top of the system.
func (s *System) Spawn(p Props) *PID { return s.spawn(s.root.proc, p) }

func (s *System) spawn(parent *process, p Props) *PID {
	if p.Name == "" && parent != nil {
		p.Name = fmt.Sprintf("$%d", s.seq.Add(1))
	}
	if p.Restart == (Backoff{}) {
		p.Restart = DefaultBackoff
	}
	path := p.Name
	if parent != nil {
		path = parent.pid.path + "/" + p.Name
	}
	proc := &process{system: s, props: p, parent: parent, wake: make(chan struct{}, 1), done: make(chan struct{})}
	proc.pid = &PID{path: path, proc: proc}
	if parent != nil && !parent.adopt(proc) {
		close(proc.done)
		proc.box.stopped = true
		return proc.pid
	}
	go proc.run()
	return proc.pid
}

// Send puts a message into an actor's mailbox, whatever its bound. Messages to
// an actor that is gone go to its Undelivered or count as dead letters.
func (s *System) Send(to *PID, msg any) { to.proc.post(msg, true) }

// TrySend is Send for a mailbox with a bound: it returns false if the mailbox is
// full or the actor is gone. Then the message was not taken, nor given to
// Undelivered.
func (s *System) TrySend(to *PID, msg any) bool { return to.proc.post(msg, false) }

// Stop ends an actor after the message it is at. What waits in its mailbox goes
// to Undelivered. It does not wait; see Done.
func (s *System) Stop(pid *PID) { pid.proc.halt() }

// Done is closed when the actor is gone for good.
func (p *PID) Done() <-chan struct{} { return p.proc.done }

// Shutdown stops every actor, children first, and waits.
func (s *System) Shutdown() {
	s.root.proc.halt()
	<-s.root.proc.done
}

// mailbox holds what waits for an actor.
type mailbox struct {
	mu      sync.Mutex
	queue   []any
	halt    bool // stop before the next message
	stopped bool // takes nothing any more
}
