package engine

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// recordModification records that an instance was modified.
func (r *run) recordModification(m *modification) {
	if r.rec == nil {
		return
	}
	modificationOf(r.rec.begin(), m.c, m.within)
	r.rec.event("PROCESS_INSTANCE_MODIFICATION", "MODIFIED", m.root.Key)
}

// noteScopes notes in which scopes an element begins, the process first.
func (m *modification) noteScopes(scope *elem) {
	if m.r.rec == nil {
		return
	}
	var keys []protocol.Key
	for ; scope != nil; scope = m.r.scope(scope) {
		keys = append(keys, scope.Key)
	}
	slices.Reverse(keys)
	m.within = append(m.within, keys)
}

func modificationOf(o *object, c *protocol.ModifyInstance, within [][]protocol.Key) {
	all := slices.Concat(within...)
	slices.Sort(all)
	o.num("processInstanceKey", int64(c.InstanceKey)).keys("ancestorScopeKeys", slices.Compact(all))
	o.items("activateInstructions", len(c.Activate), func(i int, o *object) {
		a := &c.Activate[i]
		var scopes []protocol.Key
		if within != nil {
			scopes = within[i]
		}
		o.str("elementId", a.ElementID).num("ancestorScopeKey", int64(a.Ancestor)).keys("ancestorScopeKeys", scopes)
		o.items("variableInstructions", len(a.Variables), func(i int, o *object) {
			o.str("elementId", a.Variables[i].ScopeID).members("variables", documentOf(a.Variables[i].Variables))
		})
	})
	o.items("terminateInstructions", len(c.Terminate), func(i int, o *object) {
		o.num("elementInstanceKey", int64(c.Terminate[i]))
	})
}

// recordMigration records that an instance has migrated.
func (r *run) recordMigration(c *protocol.MigrateInstance, root *elem) {
	if r.rec == nil {
		return
	}
	migrationOf(r.rec.begin(), c)
	r.rec.event("PROCESS_INSTANCE_MIGRATION", "MIGRATED", root.Key)
}

func migrationOf(o *object, c *protocol.MigrateInstance) {
	o.num("processInstanceKey", int64(c.InstanceKey)).num("targetProcessDefinitionKey", int64(c.TargetKey))
	o.items("mappingInstructions", len(c.Mappings), func(i int, o *object) {
		o.str("sourceElementId", c.Mappings[i].SourceID).str("targetElementId", c.Mappings[i].TargetID)
	})
}

// recordMigrated records what goes along with an element instance, beside its
// job: incidents, variables (without their values, as the original), a user task.
func (r *run) recordMigrated(el *elem) {
	if r.rec == nil {
		return
	}
	if el.Incident != 0 {
		r.recordIncident(el, r.tx.Incident(el.Incident), "MIGRATED")
	}
	if el.Job != 0 {
		if j := r.tx.Job(el.Job); j != nil && j.Incident != 0 {
			r.recordIncident(el, r.tx.Incident(j.Incident), "MIGRATED")
		}
	}
	if el.Extra != nil && el.Extra.UserTask != 0 {
		r.recordUserTask(el, &userTask{priority: defaultPriority}, "MIGRATED")
	}
	if r.waits(el) {
		return // they are recorded when it begins
	}
	r.tx.LoadVariables(el.ElementInstance)
	for i := range el.Variables {
		r.rec.variable(r.e.Partition, el, "MIGRATED", el.Variables[i].Name, []byte("null"))
	}
}

// items writes a list of n objects that are parts of a value.
func (o *object) items(name string, n int, write func(i int, o *object)) {
	o.name(name)
	*o = append(*o, '[')
	for i := range n {
		if i > 0 {
			*o = append(*o, ',')
		}
		at := len(*o)
		*o = append(*o, '{')
		write(i, o)
		*o = append(slices.Delete(*o, at+1, at+2), '}') // the comma before the first name
	}
	*o = append(*o, ']')
}
