package saga_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

var verbs = map[string]func(*script, []string){
	"table":         func(s *script, args []string) { s.rows(args) },
	"start":         start,
	"rows":          func(s *script, args []string) { s.step(saga.RowsAdded{Now: s.now, Rows: s.rows(args)}) },
	"answer":        answer,
	"late":          late,
	"dup":           func(s *script, _ []string) { s.step(*s.answer) },
	"drop":          drop,
	"applied":       func(s *script, _ []string) { s.purge(s.takeAcks("applied")) },
	"entry-lost":    func(s *script, _ []string) { s.takeAcks("entry-lost") },
	"entry-refused": entryRefused,
	"purge": func(s *script, args []string) {
		s.purge([]saga.Ack{{Channel: s.channel(args[0]), UpTo: s.seq(args[1])}})
	},
	"tick":   tick,
	"run":    runFor,
	"news":   news,
	"status": status,
	"stop":   func(s *script, _ []string) { s.step(saga.Stopped{Now: s.now}) },
}

func start(s *script, args []string) {
	cfg := saga.Config{JitterPercent: -1}
	if len(args) > 0 {
		cfg.Seed = uint64(s.seq(strings.TrimPrefix(args[0], "seed=")))
		cfg.JitterPercent = 0
	}
	s.state = saga.New(cfg)
	s.sent, s.lost, s.acks = map[saga.Channel]saga.Action{}, map[saga.Channel]bool{}, nil
	s.step(saga.Started{Now: s.now, Tables: s.tables()})
}

func answer(s *script, args []string) {
	c := s.channel(args[0])
	sent := s.sent[c]
	if sent == nil || s.lost[c] {
		s.t.Fatalf("answer %s: nothing to answer", args)
	}
	s.reply(c, attemptOf(sent), args[1:])
}

func late(s *script, args []string) {
	s.reply(s.channel(args[0]), uint64(s.seq(strings.TrimPrefix(args[1], "#"))), args[2:])
}

func drop(s *script, args []string) {
	c := s.channel(args[0])
	if s.sent[c] == nil {
		s.t.Fatalf("drop %s: nothing is under way", c)
	}
	s.lost[c] = true
}

func (s *script) takeAcks(verb string) []saga.Ack {
	if len(s.acks) == 0 {
		s.t.Fatalf("%s: no deletion is proposed", verb)
	}
	acks := s.acks
	s.acks = nil
	return acks
}

func entryRefused(s *script, args []string) {
	s.step(saga.DeleteFailed{Now: s.now, Acks: s.takeAcks("entry-refused"), Reason: strings.Join(args, " ")})
}

func tick(s *script, args []string) {
	s.now = s.now.Add(s.duration(args[0]))
	s.step(saga.Tick{Now: s.now})
}

// runFor lets time pass from wake to wake. Answers come 1 ms after the send.
// Only what is sent and deleted is written down, and not more than ten lines.
func runFor(s *script, args []string) {
	before := s.takeOutputIfAny()
	end := s.now.Add(s.duration(args[0]))
	s.auto = map[protocol.PartitionID]string{}
	for _, a := range strings.Split(strings.Join(args[1:], " "), ",") {
		switch target, res, ok := strings.Cut(strings.TrimSpace(a), "="); {
		case ok && target == "all":
			s.auto[0] = res
		case ok:
			s.auto[s.channel(target).Target] = res
		}
	}
	for _, st := range s.state.Status() {
		if a := s.sent[st.Channel]; !s.lost[st.Channel] && (st.Phase == saga.Sending || st.Phase == saga.Basing) {
			s.autoReply(st.Channel, a)
		}
	}
	for s.runOnce(end) {
	}
	s.now, s.auto, s.due = end, nil, nil
	s.shorten(before)
}

// runOnce goes to the next moment at which something happens, if before end.
func (s *script) runOnce(end time.Time) bool {
	at, due := s.wake, s.due
	if len(due) > 0 {
		at = s.now.Add(time.Millisecond)
	}
	if !at.After(s.now) || at.After(end) {
		return false
	}
	s.now, s.due = at, nil
	if len(due) == 0 {
		s.step(saga.Tick{Now: s.now})
	}
	for _, reply := range due {
		reply()
	}
	if len(s.acks) > 0 {
		s.purge(s.takeAcks("run"))
	}
	return true
}

func (s *script) shorten(before string) {
	lines := slices.Collect(strings.Lines(s.takeOutputIfAny()))
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, " wake in ") })
	s.out.WriteString(before)
	for i, l := range lines {
		if i == 10 {
			s.say("(%d more lines, the last: %s)", len(lines)-i, strings.Join(strings.Fields(lines[len(lines)-1]), " "))
			return
		}
		s.out.WriteString(l)
	}
}

func news(s *script, args []string) {
	ev := saga.News{Now: s.now}
	if args[0] != "all" {
		ev.Target = s.channel(args[0]).Target
	}
	s.step(ev)
}

func status(s *script, _ []string) {
	for _, st := range s.state.Status() {
		s.say("%s %s: %d pending, acked %d, in flight %d, attempts %d, deleting %d",
			st.Channel, st.Phase, st.Pending, st.Acked, st.InFlight, st.Attempts, st.Deleting)
		if !st.Oldest.IsZero() {
			s.say("  oldest since %s", s.now.Sub(st.Oldest))
		}
		if !st.NextTry.IsZero() {
			s.say("  next try in %s", st.NextTry.Sub(s.now))
		}
		if err := cmp.Or(st.LastError, st.DeleteError); err != "" {
			s.say("  last error: %s", err)
		}
	}
}
