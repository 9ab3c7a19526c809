package engine

import (
	"slices"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
)

// create starts an instance (seen on Zeebe 8.6.0: the id wins over the key, a version below -1 means the latest).
func (r *run) create(c *protocol.CreateInstance) {
	def := r.findDefinition(c)
	if def == nil {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	starts, rejection := startElements(def.process, c)
	if rejection != nil {
		r.reject(rejection)
		return
	}
	root := r.newRoot(def, r.key())
	if root.AwaitResult = c.AwaitResult; c.AwaitResult {
		root.Fetch = c.FetchVariables
	}
	for i := range members {
		root.SetVariable(members[i].Name, members[i].Value)
	}
	r.remember(root)
	r.recordVariables(root)
	r.recordCreation(root, c)
	if len(c.StartElements) > 0 {
		if rejection := r.startAt(c, root, starts); rejection != nil {
			r.undo(rejection)
			return
		}
	} else {
		r.follow(stepActivate, root)
	}
	created := protocol.Created{DefinitionKey: def.Key, InstanceKey: root.Key, ProcessID: def.ID, Version: def.Version}
	if c.AwaitResult {
		r.out.Await = root.Key
	} else {
		r.out.Reply = &created
	}
}

// findDefinition resolves what the command names, or rejects it, or finds that
// this partition has to ask.
func (r *run) findDefinition(c *protocol.CreateInstance) *definition {
	if c.ProcessID == "" && c.DefinitionKey < 0 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected at least a bpmnProcessId or a key greater than -1, but none given"))
		return nil
	}
	r.known = c.DeploymentSeq
	rec := r.named(protocol.PullDefinition{
		DefinitionKey: c.DefinitionKey, Want: protocol.ProcessDefinition, ID: c.ProcessID, Version: c.Version,
	})
	switch {
	case rec != nil:
		return r.e.definition(r.tx, rec.Key)
	case r.out.Miss == nil:
		r.reject(notFound(c))
	}
	return nil
}

// notFound is the rejection of a creation whose definition does not exist.
func notFound(c *protocol.CreateInstance) *protocol.Rejection {
	const expected = "Expected to find process definition with "
	switch {
	case c.ProcessID == "":
		return protocol.Reject(protocol.NotFound, c.Intent(), expected+"key '%d', but none found", c.DefinitionKey)
	case c.Version >= 0:
		return protocol.Reject(protocol.NotFound, c.Intent(), expected+"process ID '%s' and version '%d', but none found", c.ProcessID, c.Version)
	}
	return protocol.Reject(protocol.NotFound, c.Intent(), expected+"process ID '%s', but none found", c.ProcessID)
}

// startElements resolves where an instance begins: the none start event, or
// the elements of the start instructions.
func startElements(p *bpmn.Process, c *protocol.CreateInstance) ([]*bpmn.Element, *protocol.Rejection) {
	if len(c.StartElements) == 0 {
		return noneStart(p, c)
	}
	return startInstructions(p, c)
}

func noneStart(p *bpmn.Process, c *protocol.CreateInstance) ([]*bpmn.Element, *protocol.Rejection) {
	if p.Root.NoneStart == nil {
		return nil, protocol.Reject(protocol.InvalidState, c.Intent(), "Expected to create instance of process with none start event, but there is no such event")
	}
	return []*bpmn.Element{p.Root.NoneStart}, nil
}

func startInstructions(p *bpmn.Process, c *protocol.CreateInstance) (starts []*bpmn.Element, _ *protocol.Rejection) {
	for _, id := range c.StartElements {
		m, rejection := startElement(p, c, id)
		if rejection != nil {
			return nil, rejection
		}
		starts = append(starts, m...)
	}
	return starts, nil
}

func startElement(p *bpmn.Process, c *protocol.CreateInstance, id string) ([]*bpmn.Element, *protocol.Rejection) {
	m := p.Element(id)
	switch {
	case m == nil && isFlow(p, id):
		return nil, unsupportedStart(c, id, bpmn.SequenceFlow.String())
	case m == nil:
		return nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to create instance of process with start instructions but no element found with id '%s'.", id)
	case m.Type == bpmn.StartEvent || m.Type == bpmn.BoundaryEvent:
		return nil, unsupportedStart(c, id, m.Type.String())
	case behindEventGateway(m):
		return nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to create instance of process with start instructions but the element with id '%s' belongs to an event-based gateway. The creation of elements belonging to an event-based gateway is not supported.", id)
	case insideLoop(m):
		return nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to create instance of process with start instructions but the element with id '%s' is inside a multi-instance subprocess. The creation of elements inside a multi-instance subprocess is not supported.", id)
	case m == p.Root:
		return noneStart(p, c) // the process itself: as if nothing was said
	}
	return []*bpmn.Element{m}, nil
}

// startAt begins at the given elements, with the sub-processes around them.
func (r *run) startAt(c *protocol.CreateInstance, root *elem, starts []*bpmn.Element) *protocol.Rejection {
	r.activating(root)
	r.activated(root)
	if fail := r.scopeEvents(root); fail != nil {
		return noStart(c, root.model.ID, fail.text)
	}
	p := r.place(root)
	for _, m := range starts {
		if bad := p.begin(m, nil, nil); bad != nil {
			return noStart(c, bad.element, bad.text)
		}
	}
	return nil
}

// noStart is said of a scope that cannot wait for its events (seen on Zeebe
// 8.6.0).
func noStart(c *protocol.CreateInstance, id, text string) *protocol.Rejection {
	return protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to subscribe to catch event(s) of '%s' but %s", id, text)
}

// insideLoop tells whether an element stands in a multi-instance sub-process.
func insideLoop(m *bpmn.Element) bool {
	for s := m.Scope; s != nil; s = s.Scope {
		if s.Loop != nil {
			return true
		}
	}
	return false
}

func isFlow(p *bpmn.Process, id string) bool {
	return slices.ContainsFunc(p.Flows, func(f *bpmn.Flow) bool { return f.ID == id })
}

// startTypes are the element types an instance may begin at, as the original
// listed them when it was recorded (8.6.0; their order differs with each start).
var startTypes = []string{
	"MULTI_INSTANCE_BODY", "SUB_PROCESS", "EVENT_SUB_PROCESS", "SERVICE_TASK", "EXCLUSIVE_GATEWAY", "SCRIPT_TASK", "CALL_ACTIVITY",
	"USER_TASK", "TASK", "INTERMEDIATE_THROW_EVENT", "SEND_TASK", "PROCESS", "PARALLEL_GATEWAY", "EVENT_BASED_GATEWAY",
	"INTERMEDIATE_CATCH_EVENT", "RECEIVE_TASK", "INCLUSIVE_GATEWAY", "BUSINESS_RULE_TASK", "END_EVENT", "MANUAL_TASK",
}

func unsupportedStart(c *protocol.CreateInstance, id, kind string) *protocol.Rejection {
	return protocol.Reject(protocol.InvalidArgument, c.Intent(),
		"Expected to create instance of process with start instructions but the element with id '%s' targets unsupported element type '%s'. Supported element types are: [%s]",
		id, kind, strings.Join(startTypes, ", "))
}
