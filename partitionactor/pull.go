package partitionactor

import (
	"context"
	"errors"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxAsked bounds how many definitions one command asks for. What it misses
// beyond them is unknown here, as in the original.
const maxAsked = 16

// pull asks the deployment partition for a definition that this one lacks,
// before it is said not to exist (DESIGN §3 "Pull on miss").
func (l *leader) pull(r *request, want *protocol.PullDefinition) {
	l.pulling[r] = true
	r.asked = append(r.asked, engine.Asked{Want: *want})
	host := l.host
	asking, cancel := context.WithTimeout(r.ctx, l.p.Limits.PullTimeout)
	l.p.Execute(asking, protocol.DeploymentPartition, want, func(reply protocol.Reply, err error) {
		cancel()
		host.Post(pulledBack{r, reply, err})
	})
}

// onPulled takes the definition in and executes the command again. If the
// deployment partition could not be asked for what the command names, it is
// refused, so that the gateway tries another partition.
func (l *leader) onPulled(m pulledBack) {
	if l.ended || !l.pulling[m.r] {
		return
	}
	delete(l.pulling, m.r)
	asked := &m.r.asked[len(m.r.asked)-1]
	var rejection *protocol.Rejection
	reply, ok := m.reply.(*protocol.DefinitionReply)
	switch {
	case m.err == nil && ok:
		asked.Key = reply.Key
		l.internal(&protocol.Pulled{
			Source: protocol.DeploymentPartition, Epoch: reply.Epoch, Seq: reply.Seq,
			Definitions: reply.Definitions, Bodies: reply.Bodies,
		})
	case errors.As(m.err, &rejection): // it does not exist
	case names(m.r.command, &asked.Want) && !l.engine.Knows(state.NewTx(l.over), &asked.Want):
		m.r.done(nil, protocol.Refuse(protocol.DefinitionUnknown, l.p.Partition, "the deployment partition could not be asked: %v", m.err))
		return
	default:
		asked.Unknown = true
	}
	if l.ended {
		m.r.done(nil, protocol.Refuse(protocol.NotLeader, l.p.Partition, ""))
		return
	}
	l.take(m.r)
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
