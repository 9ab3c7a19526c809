package partitionactor

import (
	"context"
	"errors"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
)

// pull asks the deployment partition for a definition that this one lacks,
// before it says NOT_FOUND (DESIGN §3 "Pull on miss").
func (l *leader) pull(ctx *actors.Context, r *request, want *protocol.PullDefinition) {
	create, ok := r.command.(*protocol.CreateInstance)
	if !ok || r.again {
		l.reject(r, create)
		return
	}
	l.pulling[r] = true
	system, self := l.p.System, ctx.Self()
	asking, cancel := context.WithTimeout(r.ctx, l.p.Limits.PullTimeout)
	l.p.Execute(asking, protocol.DeploymentPartition, want, func(reply protocol.Reply, err error) {
		cancel()
		system.Send(self, pulledBack{r, reply, err})
	})
}

func (l *leader) reject(r *request, create *protocol.CreateInstance) {
	if create == nil {
		l.read(r, nil, protocol.Reject(protocol.NotFound, r.command.Intent(), "definition not found"))
		return
	}
	l.read(r, nil, engine.NotFound(create))
}

// onPulled takes the definition in and executes the command again. If the
// deployment partition could not be asked the command is refused, so that the
// gateway tries another partition.
func (l *leader) onPulled(ctx *actors.Context, m pulledBack) {
	if l.ended || !l.pulling[m.r] {
		return
	}
	delete(l.pulling, m.r)
	create := *m.r.command.(*protocol.CreateInstance)
	var rejection *protocol.Rejection
	reply, ok := m.reply.(*protocol.DefinitionReply)
	switch {
	case errors.As(m.err, &rejection):
		l.reject(m.r, &create)
		return
	case m.err != nil || !ok:
		m.r.done(nil, protocol.Refuse(protocol.DefinitionUnknown, l.p.Partition, "the deployment partition could not be asked: %v", m.err))
		return
	}
	l.internal(ctx, &protocol.Pulled{
		Source: protocol.DeploymentPartition, Epoch: reply.Epoch, Seq: reply.Seq,
		Definitions: reply.Definitions, Bodies: reply.Bodies,
	})
	create.DeploymentSeq = 0 // it has been asked: what is here now is the latest
	m.r.command, m.r.again = &create, true
	if !l.ended {
		l.take(ctx, m.r)
	}
}
