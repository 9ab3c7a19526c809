package engine

import (
	"fmt"
	"time"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
)

// evaluateDecision answers a client. An evaluation that fails is an answer too
// (seen on Zeebe 8.6.0, as are the texts, and that the id wins over the key).
func (r *run) evaluateDecision(c *protocol.EvaluateDecision) {
	r.known = c.DeploymentSeq
	def := r.askedDecision(c)
	if def == nil {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	if ev := r.evaluateDefinition(def, newMemberScope(members)); ev != nil {
		reply := r.evaluated(def, ev)
		r.recordEvaluation(nil, members, reply)
		r.out.Reply = reply
	}
}

// askedDecision finds the decision that a client names, or rejects.
func (r *run) askedDecision(c *protocol.EvaluateDecision) *protocol.Definition {
	if c.DecisionID == "" && c.DecisionKey < 0 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected either a decision id or a valid decision key, but none provided"))
		return nil
	}
	def := r.named(protocol.PullDefinition{DefinitionKey: c.DecisionKey, Want: protocol.DecisionDefinition, ID: c.DecisionID, Version: -1})
	switch {
	case def != nil || r.out.Miss != nil:
	case c.DecisionID != "":
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", (&dmn.NotFound{ID: c.DecisionID}).Error()))
	default:
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to evaluate decision '%d', but no decision found for key '%d'", c.DecisionKey, c.DecisionKey))
	}
	return def
}

// evaluateDefinition evaluates a stored decision, nil if the store is damaged.
func (r *run) evaluateDefinition(def *protocol.Definition, scope feel.Scope) *dmn.Evaluation {
	c, err := r.e.content(r.tx, def)
	if err != nil {
		r.tx.Fail(err)
		return nil
	}
	now := r.now
	ev, err := c.dmn.Evaluate(def.ID, scope, func() time.Time { return time.UnixMilli(now) })
	if err != nil {
		r.tx.Fail(err)
		return nil
	}
	return ev
}

// evaluated is what is told of an evaluation.
func (r *run) evaluated(def *protocol.Definition, ev *dmn.Evaluation) *protocol.Evaluated {
	reply := &protocol.Evaluated{
		Decision:       protocol.EvaluatedDecision{Key: def.Key, ID: def.ID, Name: def.Name, Version: def.Version, Type: string(ev.Decision.Type)},
		RequirementsID: def.ParentID, RequirementsKey: def.Parent,
	}
	if ev.Failure != nil {
		reply.FailedID, reply.FailureMessage = ev.Failure.DecisionID, ev.Failure.Message
	} else {
		reply.Decision.Output = feel.AppendJSON(nil, ev.Output)
	}
	for i := range ev.Evaluated {
		reply.Decisions = append(reply.Decisions, r.evaluatedDecision(def, &ev.Evaluated[i]))
	}
	return reply
}

func (r *run) evaluatedDecision(asked *protocol.Definition, e *dmn.Evaluated) protocol.EvaluatedDecision {
	d := protocol.EvaluatedDecision{
		Key: -1, ID: e.ID, Name: e.Name, Version: -1, Type: string(e.Type), Output: feel.AppendJSON(nil, e.Output),
	}
	// One deployment gives an id once, so this is the decision beside the asked one.
	if def := r.tx.Definition(r.tx.Member(asked.DeploymentID, protocol.DecisionDefinition, e.ID)); def != nil {
		d.Key, d.Version = def.Key, def.Version
	}
	for _, in := range e.Inputs {
		d.Inputs = append(d.Inputs, decisionValue(in.ID, in.Name, in.Value))
	}
	for i := range e.Rules {
		rule := protocol.MatchedRule{ID: e.Rules[i].ID, Index: int32(e.Rules[i].Index)}
		for _, out := range e.Rules[i].Outputs {
			rule.Outputs = append(rule.Outputs, decisionValue(out.ID, out.Name, out.Value))
		}
		d.Rules = append(d.Rules, rule)
	}
	return d
}

func decisionValue(id, name string, v feel.Value) protocol.DecisionValue {
	return protocol.DecisionValue{ID: id, Name: name, Value: feel.AppendJSON(nil, v)}
}

// memberScope lets expressions see a client's variables.
type memberScope map[string][]byte

func newMemberScope(members []jsondoc.Member) memberScope {
	s := make(memberScope, len(members))
	for _, m := range members {
		s[m.Name] = m.Value
	}
	return s
}

// Lookup finds a variable.
func (s memberScope) Lookup(name string) (feel.Value, bool) {
	raw, ok := s[name]
	if !ok {
		return nil, false
	}
	return fromJSON(raw), true
}

// decide evaluates the decision that a business rule task calls. Its value
// leaves the task like a script's.
func (r *run) decide(el *elem) *failure {
	ev, fail := r.calledDecision(el)
	if ev != nil && fail == nil {
		r.gave(el, []jsondoc.Member{{Name: el.model.Decision.Result, Value: feel.AppendJSON(nil, ev.Output)}})
	}
	return fail
}

// calledDecision evaluates what a business rule task names, nil if that has to
// be asked for first.
func (r *run) calledDecision(el *elem) (*dmn.Evaluation, *failure) {
	called := el.model.Decision
	id, fail := r.text(called.ID, el)
	if fail != nil {
		return nil, fail
	}
	def := r.bound(el, protocol.DecisionDefinition, id, called.Binding)
	if def == nil {
		if r.out.Miss != nil {
			return nil, nil
		}
		return nil, &failure{"CALLED_DECISION_ERROR", noDecision(el, id, called.Binding)}
	}
	ev := r.evaluateDefinition(def, scopeChain{r, el})
	if ev != nil && r.rec != nil {
		r.recordEvaluation(el, nil, r.evaluated(def, ev))
	}
	if ev != nil && ev.Failure != nil {
		return nil, &failure{"DECISION_EVALUATION_ERROR", ev.Failure.Message}
	}
	return ev, nil
}

func noDecision(el *elem, id string, b bpmn.Binding) string {
	switch b.Type {
	case bpmn.BindDeployment:
		return fmt.Sprintf("Expected to evaluate decision '%s' with binding type 'deployment', but no such decision found in the deployment with key %d which contained the current process. To resolve this incident, migrate the process instance to a process definition that is deployed together with the intended decision to evaluate.", id, el.def.DeploymentID)
	case bpmn.BindVersionTag:
		return fmt.Sprintf("Expected to evaluate decision with id '%s' and version tag '%s', but no such decision found. To resolve this incident, deploy a decision with the given id and version tag.", id, b.VersionTag)
	}
	return (&dmn.NotFound{ID: id}).Error()
}
