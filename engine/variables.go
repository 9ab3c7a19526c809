package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// mapping is the evaluation of an element's input or output mappings: one
// after the other, each sees what those before it made. Nothing is written
// until all have succeeded.
type mapping struct {
	r    *run
	el   *elem
	made []jsondoc.Member
}

// Lookup finds a variable for an expression.
func (m *mapping) Lookup(name string) (feel.Value, bool) {
	for i := range m.made {
		if m.made[i].Name == name {
			v := m.r.decode(m.made[i].Value)
			return v, v != nil
		}
	}
	return scopeChain{m.r, m.el}.Lookup(name)
}

// evaluate works out all mappings. old gives the value that a nested target is
// merged into.
func (m *mapping) evaluate(list []bpmn.Mapping, old func(name string) feel.Value) error {
	for i := range list {
		x := &list[i]
		res, err := m.r.valueIn(x.Source, m)
		if err != nil {
			return err
		}
		v, name := res.Value, x.Target[0]
		if len(x.Target) > 1 {
			v = nested(x.Target[1:], v, m.merged(name, old))
		}
		m.made = setMember(m.made, name, feel.AppendJSON(nil, v))
	}
	return nil
}

func (m *mapping) merged(name string, old func(string) feel.Value) feel.Value {
	for i := range m.made {
		if m.made[i].Name == name {
			return m.r.decode(m.made[i].Value)
		}
	}
	return old(name)
}

// applyInputs makes the element's local variables.
func (r *run) applyInputs(el *elem) error {
	if len(el.model.Inputs) == 0 {
		return nil
	}
	m := mapping{r: r, el: el}
	err := m.evaluate(el.model.Inputs, func(name string) feel.Value {
		r.tx.LoadVariables(el.ElementInstance)
		return r.decode(el.Variable(name))
	})
	if err != nil {
		return err
	}
	for i := range m.made {
		r.setLocal(el, m.made[i].Name, m.made[i].Value)
	}
	return nil
}

// applyOutputs writes the output mappings to the scopes above. They are
// evaluated where the element's local variables are seen.
func (r *run) applyOutputs(el *elem) error {
	if len(el.model.Outputs) == 0 {
		return nil
	}
	m := mapping{r: r, el: el}
	err := m.evaluate(el.model.Outputs, func(name string) feel.Value { return r.decode(r.lookup(r.scope(el), name)) })
	if err != nil {
		return err
	}
	for i := range m.made {
		r.propagate(r.scope(el), m.made[i].Name, m.made[i].Value)
	}
	return nil
}

func (r *run) decode(raw []byte) feel.Value {
	if raw == nil {
		return nil
	}
	v, err := feel.FromJSON(raw)
	if err != nil {
		r.tx.Fail(err)
	}
	return v
}

func setMember(list []jsondoc.Member, name string, value []byte) []jsondoc.Member {
	for i := range list {
		if list[i].Name == name {
			list[i].Value = value
			return list
		}
	}
	return append(list, jsondoc.Member{Name: name, Value: value})
}

// nested puts v at a path inside old, making contexts where there are none.
func nested(path []string, v, old feel.Value) feel.Value {
	ctx, _ := old.(*feel.Context)
	made := feel.NewContext()
	var inner feel.Value
	if ctx != nil {
		for _, e := range ctx.Entries() {
			made.Put(e.Key, e.Value)
		}
		inner, _ = ctx.Get(path[0])
	}
	if len(path) > 1 {
		v = nested(path[1:], v, inner)
	}
	made.Put(path[0], v)
	return made
}

// propagate writes a variable where it belongs: the nearest scope from el
// upwards that has it, else the process (zeebe.md §5.5).
func (r *run) propagate(el *elem, name string, value []byte) {
	for ; el != nil; el = r.scope(el) {
		r.tx.LoadVariables(el.ElementInstance)
		if el.Scope == 0 || el.Variable(name) != nil {
			r.setLocal(el, name, value)
			return
		}
	}
}

func (r *run) setLocal(el *elem, name string, value []byte) {
	r.tx.LoadVariables(el.ElementInstance)
	el.SetVariable(name, value)
	el.dirty = true
}

// mergeCompletion takes in the variables a worker sent: with output mappings
// they are local and only what is mapped leaves the element; without, all do.
func (r *run) mergeCompletion(el *elem, members []jsondoc.Member) {
	for i := range members {
		if len(el.model.Outputs) > 0 {
			r.setLocal(el, members[i].Name, members[i].Value)
		} else {
			r.propagate(el, members[i].Name, members[i].Value)
		}
	}
}

// visible collects the variables el sees, the nearest of each name, as one
// object; fetch, if not empty, picks names.
func (r *run) visible(el *elem, fetch []string) []byte {
	var members []jsondoc.Member
	for ; el != nil; el = r.scope(el) {
		r.tx.LoadVariables(el.ElementInstance)
		members = addVisible(members, el.Variables, fetch)
	}
	return jsondoc.Append(make([]byte, 0, 64), members)
}

func addVisible(members []jsondoc.Member, vars []state.Variable, fetch []string) []jsondoc.Member {
	for i := range vars {
		v := &vars[i]
		if len(fetch) > 0 && !slices.Contains(fetch, v.Name) {
			continue
		}
		if !slices.ContainsFunc(members, func(m jsondoc.Member) bool { return m.Name == v.Name }) {
			members = append(members, jsondoc.Member{Name: v.Name, Value: v.Value})
		}
	}
	return members
}

// result is what an awaited instance hands to its creator.
func (r *run) result(el *elem) *protocol.Result {
	return &protocol.Result{
		Created:   protocol.Created{DefinitionKey: el.Definition, InstanceKey: el.Key, ProcessID: el.ProcessID, Version: el.Version},
		Variables: r.visible(el, el.Fetch),
	}
}

// setVariables writes variables at an element instance that is active.
func (r *run) setVariables(c *protocol.SetVariables) {
	el := r.elem(c.ElementKey)
	if el == nil || el.State == state.Terminating {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to update variables for element with key '%d', but no such element was found", c.ElementKey))
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	for i := range members {
		if c.Local {
			r.setLocal(el, members[i].Name, members[i].Value)
		} else {
			r.propagate(el, members[i].Name, members[i].Value)
		}
	}
	r.out.Reply = &protocol.KeyReply{Key: r.key()}
}
