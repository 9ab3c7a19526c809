package engine

import (
	"slices"

	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// applyInputs makes the element's local variables. Later mappings see what
// earlier ones made.
func (r *run) applyInputs(el *elem) error {
	for i := range el.model.Inputs {
		m := &el.model.Inputs[i]
		res, err := r.value(m.Source, el)
		if err != nil {
			return err
		}
		v := res.Value
		if len(m.Target) > 1 {
			v = nested(m.Target[1:], v, r.local(el, m.Target[0]))
		}
		r.setLocal(el, m.Target[0], feel.AppendJSON(nil, v))
	}
	return nil
}

// applyOutputs writes the output mappings to the scopes above. They are
// evaluated where the element's local variables are seen.
func (r *run) applyOutputs(el *elem) error {
	if len(el.model.Outputs) == 0 {
		return nil
	}
	var made []jsondoc.Member
	for i := range el.model.Outputs {
		m := &el.model.Outputs[i]
		res, err := r.value(m.Source, el)
		if err != nil {
			return err
		}
		v := res.Value
		if len(m.Target) > 1 {
			v = nested(m.Target[1:], v, r.mapped(made, el, m.Target[0]))
		}
		made = setMember(made, m.Target[0], feel.AppendJSON(nil, v))
	}
	for i := range made {
		r.propagate(r.scope(el), made[i].Name, made[i].Value)
	}
	return nil
}

// mapped is the value a nested output target is merged into.
func (r *run) mapped(made []jsondoc.Member, el *elem, name string) feel.Value {
	raw := r.lookup(r.scope(el), name)
	for i := range made {
		if made[i].Name == name {
			raw = made[i].Value
		}
	}
	return r.decode(raw)
}

func (r *run) local(el *elem, name string) feel.Value {
	r.tx.LoadVariables(el.ElementInstance)
	return r.decode(el.Variable(name))
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
