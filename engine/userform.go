package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/protocol"
)

// formKey finds the form that is linked to a user task. ok is false if the
// answer has to be asked for first.
func (r *run) formKey(el *elem) (key protocol.Key, ok bool, _ *failure) {
	link := el.model.Form
	id, fail := r.text(link.ID, el)
	if fail != nil {
		return 0, false, fail
	}
	def := r.bound(el, protocol.FormDefinition, id, link.Binding)
	switch {
	case def != nil:
		return def.Key, true, nil
	case r.out.Miss != nil:
		return 0, false, nil
	}
	return 0, false, &failure{"FORM_NOT_FOUND", noForm(el, id, link.Binding)}
}

// noForm has the texts seen on Zeebe 8.6.0.
func noForm(el *elem, id string, b bpmn.Binding) string {
	switch b.Type {
	case bpmn.BindDeployment:
		return fmt.Sprintf("Expected to use a form with id '%s' with binding type 'deployment', but no such form found in the deployment with key %d which contained the current process. To resolve this incident, migrate the process instance to a process definition that is deployed together with the intended form to use.", id, el.def.DeploymentID)
	case bpmn.BindVersionTag:
		return fmt.Sprintf("Expected to use a form with id '%s' and version tag '%s', but no such form found. To resolve the incident, deploy a form with the given id and version tag.", id, b.VersionTag)
	}
	return fmt.Sprintf("Expected to find a form with id '%s', but no form with this id is found, at least a form with this id should be available. To resolve the Incident please deploy a form with the same id", id)
}

// openUserTask works out what a user task that the engine keeps itself says of
// who is to do it. It waits then: only another API than gRPC could end it, and
// a cancellation, an event at its boundary or a modification does.
func (r *run) openUserTask(el *elem) *failure {
	details, fail := r.userTaskDetails(el)
	if fail == nil && r.out.Miss == nil {
		el.More().UserTask, el.dirty = r.key(), true
		r.recordUserTask(el, details, "CREATING", "CREATED")
	}
	return fail
}

// userTask is what a user task without a job says of who is to do it, by the
// names of a job's headers.
type userTask struct {
	headers   []bpmn.Header
	form      protocol.Key
	reference string
	priority  int64
}

func (r *run) userTaskDetails(el *elem) (d *userTask, fail *failure) {
	t := el.model.Native
	d = &userTask{headers: slices.Clone(t.Headers)}
	for i := range t.Dynamic {
		text, ok, fail := r.dynamicHeader(&t.Dynamic[i], el)
		if fail != nil {
			return nil, fail
		}
		if ok {
			d.headers = append(d.headers, bpmn.Header{Key: t.Dynamic[i].Key, Value: text})
		}
	}
	if el.model.Form != nil {
		if d.form, _, fail = r.formKey(el); fail != nil {
			return nil, fail
		}
	}
	if t.Reference != nil {
		if d.reference, fail = r.text(t.Reference, el); fail != nil {
			return nil, fail
		}
	}
	d.priority, fail = r.priority(el)
	return d, fail
}

// closeUserTask says that a user task without a job ends undone.
func (r *run) closeUserTask(el *elem) {
	if el.Extra == nil || el.Extra.UserTask == 0 {
		return
	}
	r.recordUserTask(el, &userTask{priority: defaultPriority}, "CANCELING", "CANCELED")
	el.Extra.UserTask, el.dirty = 0, true
}

// defaultPriority is that of a user task which says nothing of it (Zeebe 8.6).
const defaultPriority = 50

// priority has the failures seen on Zeebe 8.6.0.
func (r *run) priority(el *elem) (int64, *failure) {
	x := el.model.Native.Priority
	if x == nil {
		return defaultPriority, nil
	}
	text := x.Static()
	if !x.IsStatic() {
		v, fail := r.eval(x, el, "NUMBER", feel.KindNumber)
		if fail != nil {
			return 0, fail
		}
		text = string(feel.AppendJSON(nil, v))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &failure{"EXTRACT_VALUE_ERROR", fmt.Sprintf("Expected result of the expression '%s' to be an integer, but was a decimal.", x.Source())}
	}
	if n < 0 || n > 100 {
		return 0, &failure{"EXTRACT_VALUE_ERROR", fmt.Sprintf("Expected priority to be in the range [0,100] but was '%d'.", n)}
	}
	return n, nil
}
