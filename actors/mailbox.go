package actors

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
)

// mailbox holds what waits for an actor: notes of the runtime, which come first,
// and messages. Messages are taken all at once, so that senders and actor meet at
// the lock once per batch. It outlives restarts.
type mailbox struct {
	bound      int
	ctx        actor.Context // of the actor
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	urgent     atomic.Bool  // there are notes
	held       atomic.Int64 // of batch, if there is a bound

	mu        sync.Mutex
	notes     []any
	queue     []any
	running   bool
	suspended bool // written by the runner only
	closed    bool

	// Of the goroutine that runs the actor:
	batch    []any // taken from queue
	next     int
	current  any
	busy     bool // something was handled since the actor was idle
	stopping bool
	failing  bool
	late     []any // who watches what is about to end
}

var boxID = ctxext.NextContextExtensionID()

// ExtensionID makes the mailbox something that an actor's context can hold.
func (m *mailbox) ExtensionID() ctxext.ContextExtensionID { return boxID }

// boxOf finds the mailbox of an actor that was made by Props.
func boxOf(ctx actor.Context) *mailbox { return ctx.Get(boxID).(*mailbox) }

// RegisterHandlers is called once, before the first message.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
	m.ctx = invoker.(actor.Context)
	m.ctx.Set(m)
}

// Start has nothing to do: a mailbox without messages needs no goroutine.
func (m *mailbox) Start() {}

// UserMessageCount is how many messages wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue) + int(m.held.Load())
}

// PostUserMessage puts a message behind the others, or hands it back.
func (m *mailbox) PostUserMessage(msg any) {
	m.mu.Lock()
	if m.closed || m.bound > 0 && len(m.queue)+int(m.held.Load()) >= m.bound {
		m.mu.Unlock()
		m.giveBack(msg)
		return
	}
	m.queue = append(m.queue, msg)
	start := !m.running && !m.suspended
	m.running = m.running || start
	m.mu.Unlock()
	if start {
		m.dispatcher.Schedule(m.run)
	}
}

// PostSystemMessage takes a note of the runtime, also for an actor that has
// stopped: it answers who watches it.
func (m *mailbox) PostSystemMessage(note any) {
	m.mu.Lock()
	m.notes = append(m.notes, note)
	m.urgent.Store(true)
	start := !m.running
	m.running = true
	m.mu.Unlock()
	if start {
		m.dispatcher.Schedule(m.run)
	}
}

func (m *mailbox) run() {
	for !m.pass() {
	}
}

// pass runs the actor until nothing waits. It returns false if the actor has
// panicked, and wants to be called again.
func (m *mailbox) pass() bool {
	defer func() {
		if r := recover(); r != nil {
			m.panicked(r)
		}
	}()
	for {
		switch {
		case m.urgent.Load():
			m.handleNotes()
		case m.next < len(m.batch) && !m.suspended:
			m.handleMessage()
		case m.rest():
			return true
		}
	}
}

// rest looks for more, and gives the goroutine up if there is none.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	switch {
	case len(m.notes) > 0:
	case m.suspended || m.closed || len(m.queue) == 0 && !m.busy:
		m.running = false
		m.mu.Unlock()
		return true
	case len(m.queue) > 0:
		m.batch, m.queue, m.next = m.queue, m.batch[:0], 0
		if m.bound > 0 {
			m.held.Store(int64(len(m.batch)))
		}
	default:
		m.mu.Unlock()
		m.busy = false
		m.idle()
		return false
	}
	m.mu.Unlock()
	return false
}

func (m *mailbox) idle() {
	if l, ok := m.ctx.Actor().(*life); ok {
		if i, ok := l.Actor.(Idler); ok {
			i.Idle(m.ctx)
		}
	}
}

func (m *mailbox) handleMessage() {
	msg := m.batch[m.next]
	m.batch[m.next] = nil
	m.next++
	if m.bound > 0 {
		m.held.Add(-1)
	}
	if t, ok := msg.(*timed); ok {
		if t.life != m.ctx.Actor() {
			return // of a former life
		}
		msg = t.msg
	}
	m.current, m.busy = msg, true
	m.invoker.InvokeUserMessage(msg)
	m.current = nil
}

// handleNotes takes one note, so that a panic in it loses no other.
func (m *mailbox) handleNotes() {
	m.mu.Lock()
	note := m.notes[0]
	m.notes[0] = nil
	m.notes = m.notes[1:]
	m.urgent.Store(len(m.notes) > 0)
	switch note.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended, m.failing = false, false
	}
	m.mu.Unlock()
	switch note.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
		return
	case *actor.Stop:
		m.stopping = true
	case *actor.Restart:
		if m.stopping {
			return // it would bring back what is told to end
		}
		m.failing = false
	case *actor.Watch:
		if m.stopping && !m.ended() {
			m.late = append(m.late, note) // the runtime would say that it is gone, while its children still work
			return
		}
	}
	m.current, m.busy = note, true
	m.invoker.InvokeSystemMessage(note)
	m.current = nil
}

func (m *mailbox) ended() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// fail tells the supervisor, once per life. The note to wait for its word comes
// before the next message.
func (m *mailbox) fail(reason error) {
	if m.failing || m.stopping {
		return
	}
	m.failing = true
	m.invoker.EscalateFailure(reason, m.current)
}

func (m *mailbox) panicked(r any) {
	m.ctx.Logger().Error("actor failed on a mistake of ours and begins anew",
		slog.String("actor", m.ctx.Self().GetId()), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
	reason := panicError(r)
	m.fail(reason)
	if l, ok := m.ctx.Actor().(*life); ok {
		if f, ok := l.Actor.(Failer); ok {
			defer logPanic(m.ctx, "actor failed on a mistake of ours while it heard of one")
			f.Failed(m.ctx, reason)
		}
	}
}

// close is called by an actor that has stopped, before anybody hears of it.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	unread := append(m.batch[m.next:], m.queue...)
	m.batch, m.queue, m.next = nil, nil, 0
	m.held.Store(0)
	m.notes = append(m.notes, m.late...)
	m.urgent.Store(len(m.notes) > 0)
	m.late = nil
	m.mu.Unlock()
	for _, msg := range unread {
		m.giveBack(msg)
	}
}

// giveBack makes a dead letter of what somebody waits for: protoactor-go answers
// who has sent it as a request, and handBack tells messages that are Undelivered.
func (m *mailbox) giveBack(msg any) {
	_, inner, sender := actor.UnwrapEnvelope(msg)
	if _, ok := inner.(Undelivered); ok || sender != nil {
		m.ctx.ActorSystem().DeadLetter.SendUserMessage(m.ctx.Self(), msg)
	}
}
