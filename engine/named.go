package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
)

// named resolves what a command or an element names, nil if that does not exist.
// A partition that lacks it, or may know an older version only, asks the
// deployment partition first: then the outcome is a miss, and the command is
// executed again when the answer is there.
func (r *run) named(want protocol.PullDefinition) *protocol.Definition {
	def := r.tx.Definition(r.wanted(&want))
	if def != nil && (def.Kind != want.Want || def.Deleted) {
		def = nil
	}
	if newest := want.ID != "" && want.Deployment == 0 && want.Version < 0; def != nil && !(newest && r.behind()) {
		return def
	}
	if r.mayAsk(&want) {
		r.out.Miss = &want
		return nil
	}
	return def
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

// mayAsk tells whether the deployment partition can know more and has not been
// asked yet.
func (r *run) mayAsk(want *protocol.PullDefinition) bool {
	return r.e.Partition != protocol.DeploymentPartition && !r.e.Settled && !slices.Contains(r.e.Asked, *want)
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
