package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/state"
)

// failure is why an element cannot go on: an incident's type and text.
type failure struct{ kind, text string }

// outgoing decides which flows an element takes.
func (r *run) outgoing(el *elem) ([]*bpmn.Flow, *failure) {
	switch el.model.Type {
	case bpmn.ExclusiveGateway:
		return r.exclusive(el)
	case bpmn.InclusiveGateway:
		return r.inclusive(el)
	}
	return el.model.Outgoing, nil
}

// noFlow is what an exclusive or inclusive gateway says that does not know
// where to go.
func noFlow() *failure {
	return &failure{"CONDITION_ERROR", "Expected at least one condition to evaluate to true, or to have a default flow"}
}

// inclusive picks all flows whose conditions hold, else the default one. There
// is no join: each token that comes goes on, as in the original before 8.8.
func (r *run) inclusive(el *elem) (taken []*bpmn.Flow, _ *failure) {
	flows := el.model.Outgoing
	if len(flows) == 0 || len(flows) == 1 && flows[0].Condition == nil {
		return flows, nil
	}
	for _, f := range flows {
		if f.Condition == nil {
			continue
		}
		yes, fail := r.condition(f.Condition, el)
		if fail != nil {
			return nil, fail
		}
		if yes {
			taken = append(taken, f)
		}
	}
	switch {
	case len(taken) > 0:
		return taken, nil
	case el.model.Default != nil:
		return []*bpmn.Flow{el.model.Default}, nil
	}
	return nil, noFlow()
}

// exclusive picks one flow. When several conditions hold the original takes
// the last sequence flow in the file, so the conditions are asked from the end
// (seen on Zeebe 8.6.0).
func (r *run) exclusive(el *elem) ([]*bpmn.Flow, *failure) {
	flows := el.model.Outgoing
	if len(flows) == 0 || len(flows) == 1 && flows[0].Condition == nil {
		return flows, nil
	}
	for i, f := range slices.Backward(flows) {
		if f.Condition == nil {
			continue
		}
		yes, fail := r.condition(f.Condition, el)
		if fail != nil {
			return nil, fail
		}
		if yes {
			return flows[i : i+1], nil
		}
	}
	if el.model.Default != nil {
		return []*bpmn.Flow{el.model.Default}, nil
	}
	return nil, noFlow()
}

// condition evaluates to true or false; anything else is a failure.
func (r *run) condition(x *feel.Expression, el *elem) (bool, *failure) {
	v, fail := r.eval(x, el, "BOOLEAN", feel.KindBool)
	if fail != nil {
		return false, fail
	}
	return bool(v.(feel.Bool)), nil
}

// join counts a token at a parallel gateway and tells whether each incoming
// flow has brought one. Then one of each is used up.
func (r *run) join(f *bpmn.Flow, scope *elem) bool {
	scope.dirty = true
	i := slices.IndexFunc(scope.Joins, func(j state.Join) bool { return j.Element == f.Target.ID })
	if i < 0 {
		scope.Joins = append(scope.Joins, state.Join{Element: f.Target.ID})
		i = len(scope.Joins) - 1
	}
	j := &scope.Joins[i]
	k := slices.IndexFunc(j.Flows, func(c state.FlowCount) bool { return c.Flow == f.ID })
	if k < 0 {
		j.Flows = append(j.Flows, state.FlowCount{Flow: f.ID})
		k = len(j.Flows) - 1
	}
	j.Flows[k].Count++
	if len(j.Flows) < len(f.Target.Incoming) {
		return false
	}
	j.Flows = slices.DeleteFunc(j.Flows, func(c state.FlowCount) bool { return c.Count == 1 })
	for k := range j.Flows {
		j.Flows[k].Count--
	}
	if len(j.Flows) == 0 {
		scope.Joins = slices.Delete(scope.Joins, i, i+1)
	}
	return true
}
