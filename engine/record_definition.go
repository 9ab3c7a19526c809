package engine

import (
	"crypto/md5"
	"encoding/base64"

	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// recordDeployment records a deployment; its definitions are recorded one by one.
func (r *run) recordDeployment(d *protocol.Deployment) {
	if r.rec == nil {
		return
	}
	r.deploymentValue(r.rec.begin(), d)
	r.rec.event("DEPLOYMENT", "CREATED", d.Key)
}

// recordAcknowledged records the deployments of which the last outbox row is gone.
func (r *run) recordAcknowledged(rows []state.OutboxRow) {
	if r.rec == nil {
		return
	}
	seen := map[protocol.Key]bool{}
	for i := range rows {
		r.recordSettled(rows[i].Command)
		dist, ok := rows[i].Command.(*protocol.Distribute)
		if !ok || seen[dist.Deployment.Key] {
			continue
		}
		d := dist.Deployment.Key
		seen[d] = true
		if !r.pending(rows[i].Seq) {
			r.recordDistributed(d)
		}
	}
}

// pending tells whether some partition has not acknowledged a deployment.
func (r *run) pending(seq uint64) bool {
	for p := 1; p <= r.e.Partitions; p++ {
		if r.tx.Get(state.OutboxKey(protocol.PartitionID(p), protocol.LaneDeployments, seq)) != nil {
			return true
		}
	}
	return false
}

// recordDistributed records that every partition has a deployment.
func (r *run) recordDistributed(key protocol.Key) {
	if r.rec == nil {
		return
	}
	r.deploymentValue(r.rec.begin(), &protocol.Deployment{Key: key})
	r.rec.event("DEPLOYMENT", "FULLY_DISTRIBUTED", key)
}

// maxContentRecords is how large the records of a command may be for another one to
// show the content of a definition: each of a resource's processes shows all of it.
const maxContentRecords = 8 << 20

// recordDefinition records what happens to a definition, with its content.
func (r *run) recordDefinition(d *protocol.Definition, intent string) {
	if r.rec == nil {
		return
	}
	o := r.rec.begin()
	if d.Kind == protocol.DecisionDefinition {
		r.definitionValue(o, d, "")
	} else {
		c := r.recordedContent(d.Hash)
		r.definitionValue(o, d, c.checksum)
		var shown []byte
		if len(r.rec.buf) <= maxContentRecords {
			shown = c.body
		}
		o.str("resource", base64.StdEncoding.EncodeToString(shown))
	}
	r.rec.event(valueTypes[d.Kind], intent, d.Key)
}

// recordedContent is a resource as records show it.
type recordedContent struct {
	hash     protocol.Hash
	body     []byte
	checksum string
}

// recordedContent finds one. The last one is kept: a resource has many definitions.
func (r *run) recordedContent(h protocol.Hash) *recordedContent {
	c := &r.rec.content
	if c.hash != h || c.body == nil {
		body := r.tx.Body(h)
		*c = recordedContent{h, body, checksum(body)}
	}
	return c
}

// valueTypes names the records of definitions.
var valueTypes = map[protocol.DefinitionKind]string{
	protocol.ProcessDefinition: "PROCESS", protocol.RequirementsDefinition: "DECISION_REQUIREMENTS",
	protocol.DecisionDefinition: "DECISION", protocol.FormDefinition: "FORM",
}

// checksum is the original's: the MD5 of the content.
func checksum(body []byte) string {
	sum := md5.Sum(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// definitionValue writes a definition with the names that its kind has.
func (r *run) definitionValue(o *object, d *protocol.Definition, sum string) {
	o.bool("duplicate", d.Duplicate).key("deploymentKey", d.DeploymentID)
	switch d.Kind {
	case protocol.ProcessDefinition:
		o.str("bpmnProcessId", d.ID).num("version", int64(d.Version)).key("processDefinitionKey", d.Key).str("versionTag", d.VersionTag).
			str("resourceName", d.ResourceName).str("checksum", sum)
	case protocol.RequirementsDefinition:
		o.str("decisionRequirementsId", d.ID).str("decisionRequirementsName", d.Name).num("decisionRequirementsVersion", int64(d.Version)).
			key("decisionRequirementsKey", d.Key).str("namespace", r.namespace(d)).str("resourceName", d.ResourceName).str("checksum", sum)
	case protocol.DecisionDefinition:
		o.str("decisionId", d.ID).str("decisionName", d.Name).num("version", int64(d.Version)).key("decisionKey", d.Key).str("versionTag", d.VersionTag).
			str("decisionRequirementsId", d.ParentID).key("decisionRequirementsKey", d.Parent)
	case protocol.FormDefinition:
		o.str("formId", d.ID).num("version", int64(d.Version)).key("formKey", d.Key).str("versionTag", d.VersionTag).
			str("resourceName", d.ResourceName).str("checksum", sum)
	}
}

// namespace is that of a DMN resource.
func (r *run) namespace(d *protocol.Definition) string {
	c, err := r.e.content(r.tx, d)
	if err != nil {
		r.tx.Fail(err)
		return ""
	}
	return c.dmn.Namespace
}

// deploymentValue writes a deployment with the lists of what it holds.
func (r *run) deploymentValue(o *object, d *protocol.Deployment) {
	o.key("deploymentKey", d.Key).json("resources", []byte("[]"))
	for _, list := range []struct {
		name string
		kind protocol.DefinitionKind
	}{
		{"processesMetadata", protocol.ProcessDefinition}, {"decisionRequirementsMetadata", protocol.RequirementsDefinition},
		{"decisionsMetadata", protocol.DecisionDefinition}, {"formMetadata", protocol.FormDefinition},
	} {
		o.name(list.name)
		*o = append(*o, '[')
		first := true
		for i := range d.Definitions {
			def := &d.Definitions[i]
			if def.Kind != list.kind {
				continue
			}
			if !first {
				*o = append(*o, ',')
			}
			first = false
			*o = append(*o, `{"tenantId":"<default>"`...)
			r.definitionValue(o, def, r.recordedContent(def.Hash).checksum)
			*o = append(*o, '}')
		}
		*o = append(*o, ']')
	}
}

// recordDeploy records the command that a deployment begins with.
func (c *recorder) recordDeploy(d *protocol.Deploy) {
	o := c.begin()
	o.key("deploymentKey", 0).json("processesMetadata", []byte("[]")).json("decisionsMetadata", []byte("[]")).
		json("decisionRequirementsMetadata", []byte("[]")).json("formMetadata", []byte("[]"))
	o.name("resources")
	*o = append(*o, '[')
	for i, res := range d.Resources {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = jsondoc.AppendName(append(*o, `{"resourceName":`...), res.Name)
		*o = base64.StdEncoding.AppendEncode(append(*o, `,"resource":"`...), res.Content)
		*o = append(*o, `"}`...)
	}
	*o = append(*o, ']')
	c.command("DEPLOYMENT", "CREATE", 0)
}

// recordDeletion records that a resource is about to be deleted, and returns the
// key of its records.
func (r *run) recordDeletion(resource protocol.Key) protocol.Key {
	if r.rec == nil {
		return 0
	}
	key := r.key()
	r.rec.begin().key("resourceKey", resource)
	r.rec.event("RESOURCE_DELETION", "DELETING", key)
	return key
}

// recordDeleted records that a resource is deleted.
func (r *run) recordDeleted(key, resource protocol.Key) {
	if r.rec == nil {
		return
	}
	r.rec.begin().key("resourceKey", resource)
	r.rec.event("RESOURCE_DELETION", "DELETED", key)
}
