package saga_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// script plays the commands of a transcript against a State and a table.
//
//	table p2 1..5 [size=N]          rows stand in the table; the saga is not told
//	start [seed=N]                  a new leader: new State, Started with the table
//	rows p2 6..8 [size=N]           rows are committed
//	answer p2 RESULT                answer to the attempt under way
//	late p2 #1 RESULT               answer to another attempt
//	dup                             the last answer comes once more
//	drop p2                         the attempt under way is lost: no answer comes
//	applied | entry-lost            what the proposed deletions come to
//	entry-refused TEXT
//	purge p2 5                      somebody else deletes the rows up to 5
//	tick 5s                         time passes, then a Tick
//	run 5s [p2=RESULT, all=RESULT]  time passes with a Tick at every wake; what is not dropped is answered so after 1 ms
//	news p2 | news all
//	status | stop
//
// A channel is p2 (its deployments), p2/messages or p2/signals. RESULT is
// "acked N [refused=N:why_so]…", "acked all", "gap N", "bodies", "busy 1s",
// "notleader", "unreachable TEXT", "failed TEXT", "needbase" or "based N".
type script struct {
	t      *testing.T
	state  *saga.State
	begin  time.Time
	now    time.Time
	wake   time.Time
	table  map[saga.Channel][]saga.Row
	sent   map[saga.Channel]saga.Action // last Send or SendBase
	lost   map[saga.Channel]bool
	acks   []saga.Ack // proposed
	answer *saga.Answer
	auto   map[protocol.PartitionID]string // answers during run
	due    []func()
	out    strings.Builder
}

func newScript(t *testing.T) *script {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &script{t: t, begin: begin, now: begin, table: map[saga.Channel][]saga.Row{}}
}

func (s *script) takeOutput() string {
	return cmp.Or(s.takeOutputIfAny(), "(nothing)\n")
}

func (s *script) takeOutputIfAny() string {
	defer s.out.Reset()
	return s.out.String()
}

func (s *script) run(line string) {
	s.t.Helper()
	verb, args, _ := strings.Cut(line, " ")
	do, ok := verbs[verb]
	if !ok {
		s.t.Fatalf("no such command: %s", line)
	}
	if s.state == nil && verb != "start" && verb != "table" {
		s.t.Fatalf("%s: start comes first", line)
	}
	do(s, strings.Fields(args))
}

// step feeds an event and writes down the actions.
func (s *script) step(ev saga.Event) {
	for _, a := range s.state.Step(ev) {
		switch a := a.(type) {
		case saga.Send:
			s.noteSent(a.Channel, a)
		case saga.SendBase:
			s.noteSent(a.Channel, a)
		case saga.Delete:
			s.acks = append(s.acks, a.Acks...)
		case saga.WakeAt:
			s.wake = a.At
			s.say("wake in %s", a.At.Sub(s.now))
			continue
		}
		s.say("%s", a)
	}
}

func (s *script) noteSent(c saga.Channel, a saga.Action) {
	s.sent[c] = a
	delete(s.lost, c)
	s.autoReply(c, a)
}

// autoReply answers during run as it was told to, 0 standing for all targets.
func (s *script) autoReply(c saga.Channel, a saga.Action) {
	res, ok := s.auto[c.Target]
	if !ok {
		res, ok = s.auto[0]
	}
	if ok {
		s.due = append(s.due, func() { s.reply(c, attemptOf(a), strings.Fields(res)) })
	}
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "%-9s %s\n", "+"+s.now.Sub(s.begin).String(), fmt.Sprintf(format, args...))
}

func (s *script) reply(c saga.Channel, attempt uint64, words []string) {
	ans := saga.Answer{Now: s.now, Channel: c, Attempt: attempt, Result: s.result(c, words)}
	s.answer = &ans
	s.step(ans)
}

func (s *script) result(c saga.Channel, words []string) saga.Result {
	text := strings.Join(words[1:], " ")
	switch words[0] {
	case "acked":
		return s.ackResult(c, words[1:])
	case "gap":
		return saga.Gap{Next: s.seq(text)}
	case "bodies":
		return saga.NeedBodies{}
	case "busy":
		return saga.Busy{After: s.duration(text)}
	case "notleader":
		return saga.NotLeader{}
	case "unreachable":
		return saga.Unreachable{Reason: text}
	case "failed":
		return saga.Failed{Reason: text}
	case "needbase":
		return saga.NeedBase{}
	case "based":
		return saga.Based{UpTo: s.seq(text)}
	}
	s.t.Fatalf("no such result: %q", words)
	return nil
}

func (s *script) ackResult(c saga.Channel, words []string) saga.Result {
	if words[0] == "all" {
		send, ok := s.sent[c].(saga.Send)
		if !ok {
			s.t.Fatalf("acked all: no rows are under way to %s", c)
		}
		return saga.Acked{UpTo: send.To}
	}
	res := saga.Acked{UpTo: s.seq(words[0])}
	for _, w := range words[1:] {
		seq, why, _ := strings.Cut(strings.TrimPrefix(w, "refused="), ":")
		res.Refused = append(res.Refused, saga.Refusal{Seq: s.seq(seq), Reason: strings.ReplaceAll(why, "_", " ")})
	}
	return res
}

// rows makes the rows of "p2 1..5 [size=N]" and puts them into the table.
func (s *script) rows(args []string) saga.Rows {
	c := s.channel(args[0])
	from, to, ok := strings.Cut(args[1], "..")
	if !ok {
		to = from
	}
	size := 100
	if len(args) > 2 {
		size = int(s.seq(strings.TrimPrefix(args[2], "size=")))
	}
	t := saga.Rows{Channel: c}
	for seq := s.seq(from); seq <= s.seq(to); seq++ {
		t.Rows = append(t.Rows, saga.Row{Seq: seq, Size: size, Since: s.now})
	}
	s.table[c] = append(s.table[c], t.Rows...)
	return t
}

func (s *script) tables() []saga.Rows {
	var out []saga.Rows
	for c, rows := range s.table {
		out = append(out, saga.Rows{Channel: c, Rows: rows})
	}
	slices.SortFunc(out, func(a, b saga.Rows) int { return strings.Compare(a.Channel.String(), b.Channel.String()) })
	return out
}

func (s *script) purge(acks []saga.Ack) {
	for _, a := range acks {
		s.table[a.Channel] = slices.DeleteFunc(slices.Clone(s.table[a.Channel]), func(r saga.Row) bool { return r.Seq <= a.UpTo })
	}
	s.step(saga.Deleted{Now: s.now, Acks: acks})
}

func (s *script) channel(name string) saga.Channel {
	target, lane, _ := strings.Cut(name, "/")
	p, err := strconv.ParseUint(strings.TrimPrefix(target, "p"), 10, 16)
	if err != nil {
		s.t.Fatalf("no channel: %s", name)
	}
	c := saga.Channel{Target: protocol.PartitionID(p), Lane: saga.Deployments}
	for _, l := range []saga.Lane{saga.Messages, saga.Signals} {
		if lane == l.String() {
			c.Lane = l
		}
	}
	return c
}

func (s *script) seq(word string) saga.Seq {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		s.t.Fatalf("no number: %q", word)
	}
	return saga.Seq(n)
}

func (s *script) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.t.Fatalf("no duration: %q", word)
	}
	return d
}

func attemptOf(a saga.Action) uint64 {
	switch a := a.(type) {
	case saga.Send:
		return a.Attempt
	case saga.SendBase:
		return a.Attempt
	}
	return 0
}
