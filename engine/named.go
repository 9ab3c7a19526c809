package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Asked is what the deployment partition was asked for, and said.
type Asked struct {
	Want protocol.PullDefinition
	// Key is that of the definition, 0 if there is none. Unknown: it could not be
	// asked.
	Key     protocol.Key
	Unknown bool
}

// named resolves what a command or an element names, nil if that does not exist.
// A partition that lacks it, or does not know all deployments and deletions that
// the gateway knows of, asks the deployment partition first: then the outcome is
// a miss, and the command is executed again with the answer.
func (r *run) named(want protocol.PullDefinition) *protocol.Definition {
	def := r.alive(r.wanted(&want), want.Want)
	behind := r.behind()
	if def != nil && !behind || r.e.Partition == protocol.DeploymentPartition {
		return def
	}
	for i := range r.e.Asked {
		if a := &r.e.Asked[i]; a.Want == want {
			if behind && !a.Unknown {
				return r.alive(a.Key, want.Want)
			}
			return def
		}
	}
	if !r.e.Settled {
		r.out.Miss = &want
		return nil
	}
	return def
}

// alive is a definition that something may begin with.
func (r *run) alive(key protocol.Key, kind protocol.DefinitionKind) *protocol.Definition {
	if def := r.tx.Definition(key); def != nil && def.Kind == kind && !def.Deleted {
		return def
	}
	return nil
}

// Knows tells whether a partition has a definition that is named by key or
// version, so that it can go on without the deployment partition.
func (e *Engine) Knows(tx *state.Tx, want *protocol.PullDefinition) bool {
	r := run{e: e, tx: tx}
	newest := want.ID != "" && want.Deployment == 0 && want.Version < 0
	return !newest && r.alive(r.wanted(want), want.Want) != nil
}

// wanted is the key of what is named, 0 if there is none.
func (r *run) wanted(c *protocol.PullDefinition) protocol.Key {
	switch {
	case c.ID == "":
		return c.DefinitionKey
	case c.Deployment != 0:
		return r.tx.Member(c.Deployment, c.Want, c.ID)
	case c.VersionTag != "":
		return r.tx.Tagged(c.Want, c.ID, c.VersionTag)
	case c.Version >= 0:
		return r.tx.Version(c.Want, c.ID, c.Version)
	}
	return r.tx.Newest(c.Want, c.ID)
}

// behind tells whether this partition has not applied a deployment that the
// gateway knows of. The deployment partition never is: it counts the lane.
func (r *run) behind() bool {
	return r.e.Partition != protocol.DeploymentPartition && r.deploymentSeq() < r.known
}

// deploymentSeq is how far this partition knows the deployment lane.
func (r *run) deploymentSeq() uint64 {
	if r.e.Partition == protocol.DeploymentPartition {
		return r.tx.LaneSeq(protocol.LaneDeployments)
	}
	return r.tx.Inbox(protocol.DeploymentPartition, protocol.LaneDeployments).Seq
}

// bound resolves what an element refers to, by id and binding.
func (r *run) bound(el *elem, kind protocol.DefinitionKind, id string, b bpmn.Binding) *protocol.Definition {
	if id == "" {
		return nil
	}
	want := protocol.PullDefinition{Want: kind, ID: id, Version: -1}
	switch b.Type {
	case bpmn.BindDeployment:
		want.Deployment = el.def.DeploymentID
	case bpmn.BindVersionTag:
		want.VersionTag = b.VersionTag
	}
	return r.named(want)
}
