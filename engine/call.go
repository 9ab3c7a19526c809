package engine

import (
	"fmt"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxDepth is how many calls deep an instance may be (Zeebe 8.6).
const maxDepth = 1000

// called is the instance that a call activity has started, 0 if there is none.
func (el *elem) called() protocol.Key {
	if el.Extra == nil {
		return 0
	}
	return el.Extra.Called
}

// caller is the call activity that has started this instance, nil if a client
// has.
func (r *run) caller(root *elem) *elem {
	if root.Extra == nil || root.Extra.Caller == 0 {
		return nil
	}
	return r.elem(root.Extra.Caller)
}

// call starts an instance of the process that a call activity names. Both live
// on the same partition.
func (r *run) call(el *elem, def *definition, depth int64) {
	root := r.newRoot(def, r.key())
	root.Extra = &state.Extra{Caller: el.Key, Depth: depth}
	for _, m := range r.handedIn(el) {
		root.SetVariable(m.Name, m.Value)
	}
	r.remember(root)
	el.More().Called, el.dirty = root.Key, true
	r.recordVariables(root)
	r.follow(stepActivate, root)
}

// callee finds the version of the process that is meant, and how deep its
// instance will be. It is nil if that has to be asked for first.
func (r *run) callee(el *elem) (def *definition, depth int64, _ *failure) {
	id, fail := r.text(el.model.Called.ProcessID, el)
	if fail != nil {
		return nil, 0, fail
	}
	if root := r.elem(el.Instance); root.Extra != nil {
		depth = root.Extra.Depth
	}
	if depth++; depth >= maxDepth {
		return nil, 0, &failure{"CALLED_ELEMENT_ERROR", "The call activity has reached the maximum depth of 1000. This is likely due to a recursive call. Cancel the root process instance if this was unintentional."}
	}
	called := el.model.Called
	rec := r.bound(el, protocol.ProcessDefinition, id, called.Binding)
	if rec == nil {
		if r.out.Miss != nil {
			return nil, 0, nil
		}
		return nil, 0, &failure{"CALLED_ELEMENT_ERROR", noProcess(el, id, called.Binding)}
	}
	def = r.e.definition(r.tx, rec.Key)
	if def == nil {
		return nil, 0, nil // the store has failed
	}
	if def.process.Root.NoneStart == nil {
		return nil, 0, &failure{"CALLED_ELEMENT_ERROR", "Expected process with BPMN process id '" + id + "' to have a none start event, but not found."}
	}
	return def, depth, nil
}

// noProcess has the texts seen on Zeebe 8.6.0.
func noProcess(el *elem, id string, b bpmn.Binding) string {
	switch b.Type {
	case bpmn.BindDeployment:
		return fmt.Sprintf("Expected to call process with BPMN process id '%s' with binding type 'deployment', but no such process found in the deployment with key %d which contained the current process. To resolve this incident, migrate the process instance to a process definition that is deployed together with the intended process definition to call.", id, el.def.DeploymentID)
	case bpmn.BindVersionTag:
		return fmt.Sprintf("Expected to call process with BPMN process id '%s' and version tag '%s', but no such process found. To resolve this incident, deploy a process with the given process id and version tag.", id, b.VersionTag)
	}
	return "Expected process with BPMN process id '" + id + "' to be deployed, but not found."
}

// handedIn are the variables that a called instance begins with: all that the
// call activity sees, or only its own.
func (r *run) handedIn(el *elem) []jsondoc.Member {
	if el.model.Called.AllParent {
		return r.visibleMembers(nil, el, nil)
	}
	r.tx.LoadVariables(el.ElementInstance)
	return addVisible(nil, el.Variables, nil)
}

// returned goes on with the call activity whose instance has completed. The
// variables of the called process come back like a worker's.
func (r *run) returned(root *elem) {
	el := r.caller(root)
	if el == nil {
		return
	}
	el.Extra.Called, el.dirty = 0, true
	if el.State == state.Terminating {
		r.empty(el)
		return
	}
	if el.model.Called.AllChild || len(el.model.Outputs) > 0 {
		r.tx.LoadVariables(root.ElementInstance)
		el.given = addVisible(nil, root.Variables, nil)
	}
	r.follow(stepComplete, el)
}

// notReturned goes on with the call activity whose instance was terminated.
func (r *run) notReturned(root *elem) {
	if el := r.caller(root); el != nil {
		el.Extra.Called, el.dirty = 0, true
		r.terminate(el)
	}
}

// topmost is the instance that the calls began with.
func (r *run) topmost(root *elem) *elem {
	for {
		el := r.caller(root)
		if el == nil {
			return root
		}
		root = r.elem(el.Instance)
	}
}
