package chaos

import (
	"fmt"
	"strconv"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/history"
)

// box is an inbox with its instance. Nothing more is sent to it once it has had so
// many messages: another one takes its place, so that histories stay short.
type box struct {
	*history.Inbox
	id       int
	key      string
	instance int64
	sent     int64
	sure     map[int64]bool // acknowledged
	got      map[int64]bool
	tries    map[int64]int // completions by job
}

const (
	boxesAtATime = 6
	boxHolds     = 100
	mailLives    = 7 * 24 * time.Hour // longer than clocks jump
)

// publish sends a message to a box, again and again with the same id until it is
// certain that it is there.
func (a *actor) publish(gateway int) {
	b := a.box(gateway)
	if b == nil {
		return
	}
	a.mu.Lock()
	b.sent++
	m := b.sent
	a.mu.Unlock()
	call, unsure := b.Publish(a.client, m), error(nil)
	for ; ; gateway = (gateway + 1) % len(a.clients) {
		ctx, cancel := within()
		_, err := a.clients[gateway].PublishMessage(ctx, &pb.PublishMessageRequest{
			Name: mail, CorrelationKey: b.key, MessageId: strconv.FormatInt(m, 10), TimeToLive: mailLives.Milliseconds(),
			Variables: fmt.Sprintf(`{"m":%d}`, m),
		})
		cancel()
		switch v := history.Judge(err); {
		case v == history.Unknown:
			unsure = err
		case v != history.Refused:
			if call.End(err) == history.Done {
				a.mu.Lock()
				b.sure[m] = true
				a.mu.Unlock()
			}
			return
		}
		select {
		case <-time.After(pace):
		case <-a.making.Done():
			if unsure != nil {
				err = unsure
			}
			call.End(err)
			return
		}
	}
}

// box chooses one that takes more, and makes one if there are too few. A box whose
// creation is not certain is never used: there might be two.
func (a *actor) box(gateway int) *box {
	a.mu.Lock()
	var open []*box
	for _, b := range a.boxes {
		if b.sent < boxHolds {
			open = append(open, b)
		}
	}
	if len(open) >= boxesAtATime {
		defer a.mu.Unlock()
		return open[a.IntN(len(open))]
	}
	a.next++
	b := &box{id: a.next, key: fmt.Sprintf("box-%d", a.next), sure: map[int64]bool{}, got: map[int64]bool{}, tries: map[int64]int{}}
	a.mu.Unlock()
	b.Inbox = a.h.Inbox(b.id)
	ctx, cancel := within()
	defer cancel()
	resp, err := a.clients[gateway].CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{
		BpmnProcessId: inboxProcess, Version: -1, Variables: fmt.Sprintf(`{"key":%q,"box":%d}`, b.key, b.id),
	})
	switch a.h.Count("create inbox", err) {
	case history.Done:
		b.instance = resp.GetProcessInstanceKey()
		a.mu.Lock()
		a.boxes = append(a.boxes, b)
		a.mu.Unlock()
		return b
	case history.Denied:
		a.h.Violation("create %s: %v", inboxProcess, err)
	}
	return nil
}

// read takes a message out of a box.
func (a *actor) read(gateway int, j job) {
	a.mu.Lock()
	var b *box
	for _, x := range a.boxes {
		if x.id == j.Box {
			b = x
		}
	}
	if b != nil {
		b.got[j.M] = true
		b.tries[j.GetKey()]++
	}
	a.mu.Unlock()
	if b == nil {
		a.h.Violation("job %d brings a message of box %d, to which nobody sends", j.GetKey(), j.Box)
		return
	}
	b.Got(a.client, j.GetKey(), j.M, j.lock)
	b.Completing(j.GetKey())
	ctx, cancel := within()
	defer cancel()
	_, err := a.clients[gateway].CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: j.GetKey()})
	a.mu.Lock()
	tries := b.tries[j.GetKey()] // now: another worker may have had it meanwhile
	a.mu.Unlock()
	if a.h.Count("read", err) == history.Denied && tries < 2 {
		a.h.Violation("job %d of box %d is gone, and nobody has completed it: %v", j.GetKey(), b.id, err)
	}
}

// undelivered lists acknowledged messages that nobody has got yet.
func (l *load) undelivered() (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.boxes {
		for m := range b.sure {
			if !b.got[m] {
				list = append(list, fmt.Sprintf("message %d of box %d", m, b.id))
			}
		}
	}
	return list
}
