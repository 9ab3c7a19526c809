package engine

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
)

const deployFailed = "Expected to deploy new resources, but encountered the following errors:"

// deployed is one resource on its way through a deployment.
type deployed struct {
	protocol.Resource
	hash        protocol.Hash
	definitions []protocol.Definition
	model       *bpmn.Model // nil: no processes
}

// deploy checks all resources, and writes all or none.
func (r *run) deploy(c *protocol.Deploy) {
	if len(c.Resources) == 0 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to deploy at least one resource, but none given"))
		return
	}
	list, problems := r.parse(c.Resources)
	if problems != "" {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s%s", deployFailed, problems))
		return
	}
	if fail := r.checkStarts(list); fail != nil {
		r.reject(protocol.Reject(protocol.ProcessingError, c.Intent(), "Expected to create timer for start event, but %s", fail.text))
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
	r.recordDeployment(&d)
	seq := r.distribute(&d)
	if r.e.Partitions == 1 {
		r.recordDistributed(d.Key)
	}
	r.out.Effects.DeploymentSeq = seq
	r.out.Reply = &protocol.Deployed{Key: d.Key, Definitions: d.Definitions, Seq: seq}
}

// maxReport bounds what a rejection tells of a deployment's resources.
const maxReport = 64 << 10

// parse reads every resource and collects what is wrong with each.
func (r *run) parse(resources []protocol.Resource) (list []deployed, problems string) {
	var b strings.Builder
	seen := map[identity]string{}
	for i := range resources {
		d := deployed{Resource: resources[i], hash: HashOf(resources[i].Content)}
		c, err := r.e.Models.read(d.Name, d.hash, d.Content)
		if err == nil {
			d.definitions, d.model = c.definitions(&d.Resource, d.hash), c.bpmn
			err = duplicated(seen, &d)
		}
		if err != nil && b.Len() < maxReport {
			b.WriteString("\n" + err.Error())
		}
		list = append(list, d)
	}
	return list, b.String()
}

// Prepare reads the resources of a deployment ahead of the command, outside
// the leader's actor. What is wrong with them is said by the command.
func (m *Models) Prepare(resources []protocol.Resource) {
	for i := range resources {
		res := &resources[i]
		if _, err := m.read(res.Name, HashOf(res.Content), res.Content); err != nil {
			return
		}
	}
}

// identity is what must not be given twice in a deployment.
type identity struct {
	kind protocol.DefinitionKind
	id   string
}

// duplicated looks for an id that an earlier resource has, with the original's
// texts. Of several decisions it names the last (seen on Zeebe 8.6.0).
func duplicated(seen map[identity]string, d *deployed) (err error) {
	for i := range d.definitions {
		def := &d.definitions[i]
		at := identity{def.Kind, def.ID}
		first, ok := seen[at]
		if !ok {
			seen[at] = d.Name
			continue
		}
		if def.Kind == protocol.ProcessDefinition {
			return &invalid{fmt.Sprintf("Duplicated process id in resources '%s' and '%s'", first, d.Name)}
		}
		err = &invalid{fmt.Sprintf("Expected the %s ids to be unique within a deployment but found a duplicated id '%s' in the resources '%s' and '%s'.", def.Kind, def.ID, first, d.Name)}
		if def.Kind != protocol.DecisionDefinition {
			return err
		}
	}
	return err
}

// allDuplicates returns the definitions if every resource equals, by content
// and name, the latest version of each of its definitions: then nothing is new
// (as Zeebe 8.6 does). One new resource makes new versions of all.
func (r *run) allDuplicates(list []deployed) (defs []protocol.Definition) {
	for i := range list {
		for k := range list[i].definitions {
			d := &list[i].definitions[k]
			l := r.tx.Latest(d.Kind, d.ID)
			if l == nil || l.Key == 0 || l.Hash != d.Hash || l.ResourceName != d.ResourceName {
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

// define makes a new version of each definition of a resource.
func (r *run) define(d *protocol.Deployment, res *deployed) {
	r.tx.AddBody(res.hash, res.Content)
	var parent protocol.Key
	for i := range res.definitions {
		def := res.definitions[i]
		def.Key, def.DeploymentID, def.Version = r.key(), d.Key, 1
		switch def.Kind {
		case protocol.RequirementsDefinition:
			parent = def.Key
		case protocol.DecisionDefinition:
			def.Parent = parent
		}
		if l := r.tx.Latest(def.Kind, def.ID); l != nil {
			def.Version = l.Highest + 1
		}
		r.addDefinition(&def)
		d.Definitions = append(d.Definitions, def)
	}
}

// distribute writes one outbox row for each other partition, all with the same
// seq, and the deployment's own record.
func (r *run) distribute(d *protocol.Deployment) uint64 {
	// path: deployment 2/9 outbox: with the definitions, one row for each other partition
	seq := r.broadcast(protocol.LaneDeployments, &protocol.Distribute{Deployment: *d})
	r.tx.PutDeployment(d, seq)
	return seq
}
