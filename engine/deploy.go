package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

const deployFailed = "Expected to deploy new resources, but encountered the following errors:"

// deployed is one resource on its way through a deployment.
type deployed struct {
	protocol.Resource
	hash  protocol.Hash
	model *bpmn.Model
}

// deploy checks all resources, and writes all or none.
func (r *run) deploy(c *protocol.Deploy) {
	if len(c.Resources) == 0 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to deploy at least one resource, but none given"))
		return
	}
	list, problems := r.parse(c.Resources)
	if problems == "" {
		problems = duplicatedIDs(list)
	}
	if problems != "" {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s%s", deployFailed, problems))
		return
	}
	d := protocol.Deployment{Key: r.key(), Time: r.now}
	if defs := r.allDuplicates(list); defs != nil {
		r.out.Reply = &protocol.Deployed{Key: d.Key, Definitions: defs, Seq: r.deploymentSeq()}
		return
	}
	for i := range list {
		r.define(&d, &list[i])
	}
	seq := r.distribute(&d)
	r.out.Effects.DeploymentSeq = seq
	r.out.Reply = &protocol.Deployed{Key: d.Key, Definitions: d.Definitions, Seq: seq}
}

// parse reads every resource and collects what is wrong with each.
func (r *run) parse(resources []protocol.Resource) (list []deployed, problems string) {
	var b strings.Builder
	for _, res := range resources {
		d := deployed{Resource: res, hash: HashOf(res.Content)}
		var err error
		if d.model, err = r.e.Models.parseResource(&res, d.hash); err != nil {
			b.WriteString("\n" + err.Error())
		}
		list = append(list, d)
	}
	return list, b.String()
}

// parseResource reads a resource by the kind its name tells.
func (m *Models) parseResource(res *protocol.Resource, hash protocol.Hash) (*bpmn.Model, error) {
	switch {
	case strings.HasSuffix(res.Name, ".bpmn"), strings.HasSuffix(res.Name, ".xml"):
		return m.Parse(res.Name, hash, res.Content)
	case strings.HasSuffix(res.Name, ".dmn"), strings.HasSuffix(res.Name, ".form"):
		return nil, fmt.Errorf("'%s': resources of this kind are not supported yet", res.Name)
	}
	return nil, fmt.Errorf("\n'%s': unknown resource type", res.Name)
}

// Prepare parses the resources of a deployment ahead of the command, outside
// the leader's actor. What is wrong with them is said by the command.
func (m *Models) Prepare(resources []protocol.Resource) {
	for i := range resources {
		_, err := m.parseResource(&resources[i], HashOf(resources[i].Content))
		var invalid *bpmn.Invalid
		if err != nil && errors.As(err, &invalid) {
			return
		}
	}
}

func duplicatedIDs(list []deployed) string {
	seen := map[string]string{}
	for _, d := range list {
		for _, p := range d.model.Processes {
			if first, ok := seen[p.ID]; ok {
				return fmt.Sprintf("\nDuplicated process id in resources '%s' and '%s'", first, d.Name)
			}
			seen[p.ID] = d.Name
		}
	}
	return ""
}

// allDuplicates returns the definitions if every resource equals, by content
// and name, the latest version of each of its processes: then nothing is new
// (as Zeebe 8.6 does). One new resource makes new versions of all.
func (r *run) allDuplicates(list []deployed) []protocol.Definition {
	var defs []protocol.Definition
	for _, d := range list {
		for _, p := range d.model.Processes {
			l := r.tx.Latest(p.ID)
			if l == nil || l.Hash != d.hash || l.ResourceName != d.Name {
				return nil
			}
			def := r.tx.Definition(l.Key)
			if def == nil {
				return nil
			}
			def.Duplicate = true
			defs = append(defs, *def)
		}
	}
	return defs
}

// define makes a new version of each process of a resource.
func (r *run) define(d *protocol.Deployment, res *deployed) {
	r.tx.AddBody(res.hash, res.Content)
	for i, p := range res.model.Processes {
		def := protocol.Definition{
			Key: r.key(), ProcessID: p.ID, Version: 1, ResourceName: res.Name, Hash: res.hash,
			DeploymentID: d.Key, Index: int32(i),
		}
		if l := r.tx.Latest(p.ID); l != nil {
			def.Version = l.Version + 1
		}
		r.tx.PutDefinition(&def)
		d.Definitions = append(d.Definitions, def)
	}
}

// distribute writes one outbox row for each other partition, all with the same
// seq, and the deployment's own record.
func (r *run) distribute(d *protocol.Deployment) uint64 {
	// path: deployment 2/9 outbox: with the definitions, one row for each other partition
	if r.tx.Epoch() == 0 {
		r.tx.SetEpoch(r.e.Epoch)
	}
	seq := r.tx.NextSeq(protocol.LaneDeployments)
	for p := 1; p <= r.e.Partitions; p++ {
		if target := protocol.PartitionID(p); target != r.e.Partition {
			row := state.OutboxRow{Target: target, Lane: protocol.LaneDeployments, Seq: seq, Since: r.now, Deployment: *d}
			r.tx.AddOutbox(&row)
			r.out.Effects.Pushed = append(r.out.Effects.Pushed, row)
		}
	}
	r.tx.PutDeployment(d, seq)
	return seq
}
