package partitionactor

import (
	"context"
	"errors"
	"slices"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxAsked bounds how many definitions one command asks for. What it misses
// beyond them is unknown here, as in the original.
const maxAsked = 16

// pulls are the questions to the deployment partition that are under way, and what
// it has answered.
type pulls struct {
	asking map[protocol.PullDefinition]*asking
	// found is what existed when the deployment partition's lane was at seq: an
	// answer as long as neither a command's sender nor this partition knows more.
	found map[protocol.PullDefinition]found
}

// asking is one question under way. Its answer is for those who were there when it
// was sent; who has come since may have to ask once more, all together.
type asking struct {
	first, later []*request
}

type found struct {
	key        protocol.Key
	epoch, seq uint64
}

func newPulls() pulls {
	return pulls{asking: map[protocol.PullDefinition]*asking{}, found: map[protocol.PullDefinition]found{}}
}

func (p *pulls) fail(err error) {
	for _, a := range p.asking {
		for _, r := range slices.Concat(a.first, a.later) {
			r.done(nil, err)
		}
	}
	clear(p.asking)
}

// maxFound bounds what is remembered.
const maxFound = 1000

// watermark is the last deployment of which a command's sender knows.
func watermark(c protocol.Command) uint64 {
	switch c := c.(type) {
	case *protocol.CreateInstance:
		return c.DeploymentSeq
	case *protocol.EvaluateDecision:
		return c.DeploymentSeq
	}
	return 0
}

// pull asks the deployment partition for a definition that this one lacks,
// before it is said not to exist (architecture §3 "Pull on miss"). While many commands
// need the same, because this partition has been away, it asks once.
func (l *leader) pull(r *request, want *protocol.PullDefinition) {
	r.asked = append(r.asked, engine.Asked{Want: *want})
	if key, ok := l.remembered(r, want); ok {
		l.goOnWith(r, key)
		return
	}
	l.ask(want, r)
}

// remembered is an answer from before that is still good for a command.
func (l *leader) remembered(r *request, want *protocol.PullDefinition) (protocol.Key, bool) {
	f, ok := l.pulls.found[*want]
	if !ok || l.ended {
		return 0, false
	}
	in := state.NewTx(l.over).Inbox(protocol.DeploymentPartition, protocol.LaneDeployments)
	return f.key, (in.Epoch == f.epoch || in.Epoch == 0) && f.seq >= max(in.Seq, watermark(r.command))
}

// ask sends a question, or waits for the end of the one that is under way.
func (l *leader) ask(want *protocol.PullDefinition, who ...*request) {
	if l.ended {
		for _, r := range who {
			r.Undelivered()
		}
		return
	}
	if a := l.pulls.asking[*want]; a != nil {
		a.later = append(a.later, who...)
		return
	}
	l.pulls.asking[*want] = &asking{first: who}
	ctx, cancel := context.WithTimeout(context.Background(), l.p.Limits.PullTimeout)
	host, m := l.host, pulledBack{incarnation: l.incarnation, want: want}
	l.p.Execute(ctx, protocol.DeploymentPartition, want, func(reply protocol.Reply, err error) {
		cancel()
		m.reply, m.err = reply, err
		host.Post(m)
	})
}

// onPulled takes the definition in and executes the commands again that wait for it.
func (l *leader) onPulled(m pulledBack) {
	if l.ended || m.incarnation != l.incarnation {
		return
	}
	a := l.pulls.asking[*m.want]
	delete(l.pulls.asking, *m.want)
	reply, ok := m.reply.(*protocol.DefinitionReply)
	var rejection *protocol.Rejection
	switch {
	case m.err == nil && ok:
		l.internal(&protocol.Pulled{
			Source: protocol.DeploymentPartition, Epoch: reply.Epoch, Seq: reply.Seq,
			Definitions: reply.Definitions, Bodies: reply.Bodies,
		})
		l.pulls.remember(*m.want, found{reply.Key, reply.Epoch, reply.Seq})
		for _, r := range a.first {
			l.goOnWith(r, reply.Key)
		}
	case errors.As(m.err, &rejection): // it does not exist
		for _, r := range a.first {
			l.goOnWith(r, 0)
		}
	default:
		for _, r := range slices.Concat(a.first, a.later) {
			l.goOnWithout(r, m)
		}
		return
	}
	l.onLater(m.want, a.later)
}

// onLater goes on with those who came while a question was under way: its answer
// may be from before the deployments that they know of.
func (l *leader) onLater(want *protocol.PullDefinition, who []*request) {
	var left []*request
	for _, r := range who {
		if key, ok := l.remembered(r, want); ok {
			l.goOnWith(r, key)
		} else {
			left = append(left, r)
		}
	}
	if len(left) > 0 {
		l.ask(want, left...)
	}
}

func (p *pulls) remember(want protocol.PullDefinition, f found) {
	if len(p.found) >= maxFound {
		clear(p.found)
	}
	p.found[want] = f
}

// goOnWith executes a command again, with what it has last asked for.
func (l *leader) goOnWith(r *request, key protocol.Key) {
	r.asked[len(r.asked)-1].Key = key
	l.take(r)
}

// goOnWithout does so when the deployment partition could not be asked. If it has
// no answer at all to what the command names, the command is refused, so that the
// gateway tries another partition.
func (l *leader) goOnWithout(r *request, m pulledBack) {
	if l.ended {
		r.Undelivered()
		return
	}
	if names(r.command, m.want) && !l.engine.Knows(state.NewTx(l.over), m.want) {
		r.done(nil, protocol.Refuse(protocol.DefinitionUnknown, l.p.Partition, "the deployment partition could not be asked: %v", m.err))
		return
	}
	r.asked[len(r.asked)-1].Unknown = true
	l.take(r)
}

// names tells whether a definition is what a command begins with, and not what
// a process refers to on its way.
func names(c protocol.Command, want *protocol.PullDefinition) bool {
	switch c := c.(type) {
	case *protocol.CreateInstance:
		return want.Want == protocol.ProcessDefinition && want.ID == c.ProcessID && want.DefinitionKey == c.DefinitionKey
	case *protocol.EvaluateDecision, *protocol.MigrateInstance:
		return true
	}
	return false
}
