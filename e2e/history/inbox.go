package history

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/grpc/codes"
)

// Inbox is what is published for a correlation key, and the instance that takes
// one message after the other, each by a job that is completed before the next:
// a queue, first in, first out.
type Inbox struct {
	r    *Recorder
	name string

	mu    sync.Mutex
	ready time.Duration   // since when the instance may have taken the next message
	jobs  map[int64]int64 // what was got: message by job
	ended map[int64]bool  // jobs that somebody began to complete
}

// Inbox names one. The call that creates its instance begins now.
func (r *Recorder) Inbox(id int) *Inbox {
	return &Inbox{r: r, name: "inbox " + strconv.Itoa(id), ready: r.Now(), jobs: map[int64]int64{}, ended: map[int64]bool{}}
}

type inboxKind uint8

const (
	inboxPublish inboxKind = iota
	inboxGet
	inboxEmpty // when all is over
)

type inboxCall struct {
	kind    inboxKind
	message int64
}

// InboxCall is a publication that is under way, with all its repeats.
type InboxCall struct{ *Call }

// Publish begins a publication, which is repeated with the same message id until
// its outcome is certain.
func (b *Inbox) Publish(client int, message int64) InboxCall {
	return InboxCall{b.r.begin(&inboxModel, b.name, client, inboxCall{inboxPublish, message})}
}

// End notes the last answer. That there is a message with this id already is what
// a repeat is told.
func (c InboxCall) End(err error) Verdict {
	a := c.r.answer("publish", err)
	if a.verdict == Denied && a.code == codes.AlreadyExists {
		a.verdict = Done
	}
	c.end(a)
	return a.verdict
}

// Got notes that the instance's worker was handed a job with a message. It may be
// the same job again.
func (b *Inbox) Got(client int, job, message int64, lock Lock) {
	lock.Job = job
	b.r.Locked(lock)
	b.mu.Lock()
	defer b.mu.Unlock()
	if had, ok := b.jobs[job]; ok {
		if had != message {
			b.r.Violation("%s: job %d brings message %d, and brought %d before", b.name, job, message, had)
		}
		return
	}
	b.jobs[job] = message
	c := b.r.begin(&inboxModel, b.name, client, inboxCall{inboxGet, message})
	c.begun = int64(b.ready)
	c.end(answer{verdict: Done})
}

// Completing notes that a call begins that completes a job. From the first one on
// the instance may take the next message.
func (b *Inbox) Completing(job int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended[job] {
		b.ended[job], b.ready = true, b.r.Now()
	}
}

// Empty notes that nothing is left when everything is over.
func (b *Inbox) Empty() {
	b.r.begin(&inboxModel, b.name, 0, inboxCall{kind: inboxEmpty}).end(answer{verdict: Done})
}

// inboxModel has the messages that are kept as a text.
var inboxModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(s, in, out any) (bool, any) {
		queue, c := s.(string), in.(inboxCall)
		switch message := strconv.FormatInt(c.message, 10) + " "; c.kind {
		case inboxPublish:
			return out.(answer).verdict != Denied, queue + message
		case inboxGet:
			rest, ok := strings.CutPrefix(queue, message)
			return ok, rest
		}
		return queue == "", queue
	},
	DescribeOperation: func(in, out any) string {
		c := in.(inboxCall)
		return fmt.Sprintf("%s(%d) → %s", [...]string{"publish", "get", "empty"}[c.kind], c.message, out.(answer).verdict)
	},
	DescribeState: func(s any) string { return "[" + strings.TrimSpace(s.(string)) + "]" },
}
