package enginetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// outcome prints how a command is answered, and its effects.
func (c *call) outcome(out *engine.Outcome, now int64) {
	var rejection *protocol.Rejection
	switch {
	case errors.As(out.Err, &rejection):
		c.print("rejected %s: %s", rejection.Type, rejection.Reason)
	case out.Err != nil:
		c.print("error %v", out.Err)
	case out.Miss != nil:
		c.miss(out.Miss)
	case out.Await != 0:
		c.print("await %d", out.Await)
	case out.Park != "":
		c.print("parked for %s", out.Park)
	default:
		c.reply(out.Reply, now)
	}
	if out.Behind {
		c.print("behind")
	}
	c.effects(&out.Effects)
}

func (c *call) reply(reply protocol.Reply, now int64) {
	switch p := reply.(type) {
	case *protocol.Done:
		c.print("done")
	case *protocol.Created:
		c.print("created %d (%s v%d %d)", p.InstanceKey, p.ProcessID, p.Version, p.DefinitionKey)
	case *protocol.Deployed:
		c.print("deployed %d seq=%d", p.Key, p.Seq)
		c.definitions(p.Definitions)
	case *protocol.KeyReply:
		c.print("key %d", p.Key)
	case *protocol.Jobs:
		c.jobs(p, now)
	case *protocol.Received:
		c.received(p)
	case *protocol.Surveyed:
		c.surveyed(p)
	case *protocol.Evaluated:
		c.evaluated(p)
	case *protocol.DefinitionReply:
		c.print("definitions epoch=%d seq=%d bodies=%d", p.Epoch, p.Seq, len(p.Bodies))
		c.definitions(p.Definitions)
	default:
		c.print("%T %+v", reply, reply)
	}
}

func (c *call) definitions(list []protocol.Definition) {
	for _, d := range list {
		duplicate := ""
		if d.Duplicate {
			duplicate = " duplicate"
		}
		c.print("  %s %d %s of %d%s", definitionText(&d), d.Key, d.ResourceName, d.DeploymentID, duplicate)
	}
}

// definitionText names a definition; of a process its kind goes without saying.
func definitionText(d *protocol.Definition) string {
	s := fmt.Sprintf("%s v%d", d.ID, d.Version)
	if d.Kind != protocol.ProcessDefinition {
		s = d.Kind.String() + " " + s
	}
	if d.VersionTag != "" {
		s += " tagged " + d.VersionTag
	}
	if d.Parent != 0 {
		s += fmt.Sprintf(" in %d", d.Parent)
	}
	if d.Deleted {
		s += " deleted"
	}
	return s
}

func (c *call) miss(m *protocol.PullDefinition) {
	s := fmt.Sprintf("miss %s key=%d id=%q version=%d", m.Want, m.DefinitionKey, m.ID, m.Version)
	if m.Deployment != 0 {
		s += fmt.Sprintf(" deployment=%d", m.Deployment)
	}
	if m.VersionTag != "" {
		s += " tag=" + m.VersionTag
	}
	c.print("%s", s)
}

func (c *call) jobs(p *protocol.Jobs, now int64) {
	more := ""
	if p.Truncated {
		more = " and more"
	}
	c.print("%d jobs%s", len(p.Jobs), more)
	for i, j := range p.Jobs {
		if i == 10 {
			c.print("  …")
			break
		}
		c.print("  %d %s %s of %d (%s v%d), element %d, retries=%d worker=%s until=+%d headers=%s variables=%s",
			j.Key, j.Type, j.ElementID, j.InstanceKey, j.ProcessID, j.Version, j.ElementKey, j.Retries, j.Worker, j.Deadline-now, j.Headers, j.Variables)
	}
}

func (c *call) received(p *protocol.Received) {
	c.print("received up to %d of epoch %d", p.UpTo, p.Epoch)
	for _, r := range p.Refused {
		c.print("  refused %d: %s", r.Seq, r.Reason)
	}
	if p.Gap {
		c.print("  gap: send from %d", p.UpTo+1)
	}
	if len(p.Missing) > 0 {
		c.print("  %d bodies are missing", len(p.Missing))
	}
}

func (c *call) effects(e *engine.Effects) {
	if len(e.JobTypes) > 0 {
		c.print("+ jobs of %s", strings.Join(e.JobTypes, ", "))
	}
	for _, done := range e.Completed {
		if done.Result == nil {
			c.print("+ cancelled %d", done.Instance)
		} else {
			c.print("+ completed %d (%s v%d) %s", done.Instance, done.Result.ProcessID, done.Result.Version, done.Result.Variables)
		}
	}
	for i := range e.Pushed {
		row := &e.Pushed[i]
		c.print("+ pushed to %d: %s", row.Target, rowText(row))
	}
	for _, a := range e.Acked {
		c.print("+ acknowledged by %d up to %d", a.Target, a.UpTo)
	}
	if e.DeploymentSeq != 0 {
		c.print("+ deployment seq %d", e.DeploymentSeq)
	}
	if e.Continue {
		c.print("+ continue")
	}
}

func rowText(row *state.OutboxRow) string {
	dist, ok := row.Command.(*protocol.Distribute)
	if !ok {
		return fmt.Sprintf("lane %d seq %d, %s", row.Lane, row.Seq, commandText(row.Command))
	}
	d := &dist.Deployment
	names := make([]string, len(d.Definitions))
	for i := range d.Definitions {
		names[i] = definitionText(&d.Definitions[i])
	}
	return fmt.Sprintf("seq %d, deployment %d: %s", row.Seq, d.Key, strings.Join(names, ", "))
}

// commandText prints a command of an outbox in one line.
func commandText(c protocol.Command) string {
	switch c := c.(type) {
	case *protocol.DeleteResource:
		return fmt.Sprintf("delete %d: %d definitions", c.ResourceKey, len(c.Definitions))
	case *protocol.OpenSubscription:
		s := &c.Subscription
		return fmt.Sprintf("open %d: %d (%s) of %s waits for %s %q interrupting=%v", s.Key, s.Element, s.ElementID, s.ProcessID, s.Name, s.CorrelationKey, s.Interrupting)
	case *protocol.CloseSubscription:
		return fmt.Sprintf("close %d of %d: %s %q", c.Subscription, c.Element, c.Name, c.CorrelationKey)
	case *protocol.Correlate:
		return fmt.Sprintf("correlate message %d with %d of %d: %s", c.Message, c.Subscription, c.Element, c.Variables)
	case *protocol.Correlated:
		return fmt.Sprintf("correlated message %d with %d of %d, refused=%v", c.Message, c.Subscription, c.Element, c.Refused)
	case *protocol.BroadcastSignal:
		return fmt.Sprintf("signal %s %s as %d", c.Name, c.Variables, c.Key)
	}
	return fmt.Sprintf("%T", c)
}
