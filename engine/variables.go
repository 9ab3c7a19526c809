package engine

import (
	"slices"

	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

func setMember(list []jsondoc.Member, name string, value []byte) []jsondoc.Member {
	for i := range list {
		if list[i].Name == name {
			list[i].Value = value
			return list
		}
	}
	return append(list, jsondoc.Member{Name: name, Value: value})
}

// propagate writes a variable where it belongs: the nearest scope from el
// upwards that has it, else the process (Zeebe 8.6).
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
	if r.rec != nil {
		r.recordVariable(el, name, value)
	}
	el.SetVariable(name, value)
	el.dirty = true
	r.held += len(name) + len(value)
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
	var room [8]jsondoc.Member // on the stack: this is done for every job
	return jsondoc.Append(make([]byte, 0, 64), r.visibleMembers(room[:0], el, fetch))
}

func (r *run) visibleMembers(members []jsondoc.Member, el *elem, fetch []string) []jsondoc.Member {
	for ; el != nil; el = r.scope(el) {
		r.tx.LoadVariables(el.ElementInstance)
		members = addVisible(members, el.Variables, fetch)
		if el.isBody() && el.model.Loop.OutputCollection != "" {
			results := []state.Variable{{Name: el.model.Loop.OutputCollection, Value: r.resultList(el)}}
			members = addVisible(members, results, fetch)
		}
	}
	return members
}

// addVisible adds what a scope has and the scopes inside it, whose members are
// there already, have not. Names of one scope differ from each other.
func addVisible(members []jsondoc.Member, vars []state.Variable, fetch []string) []jsondoc.Member {
	hidden, wanted := memberNames(members), nameSet(fetch)
	for i := range vars {
		if v := &vars[i]; (len(fetch) == 0 || wanted.has(v.Name)) && !hidden.has(v.Name) {
			members = append(members, jsondoc.Member{Name: v.Name, Value: v.Value})
		}
	}
	return members
}

// names is a set of names: few are looked through, many have a map.
type names struct {
	few  []string
	many map[string]struct{}
	list []jsondoc.Member // in place of few
}

// fewNames is how many are looked through.
const fewNames = 16

func nameSet(list []string) names {
	if len(list) <= fewNames {
		return names{few: list}
	}
	n := names{many: make(map[string]struct{}, len(list))}
	for _, s := range list {
		n.many[s] = struct{}{}
	}
	return n
}

func memberNames(list []jsondoc.Member) names {
	if len(list) <= fewNames {
		return names{list: list}
	}
	n := names{many: make(map[string]struct{}, len(list))}
	for i := range list {
		n.many[list[i].Name] = struct{}{}
	}
	return n
}

func (n *names) has(name string) bool {
	if n.many != nil {
		_, ok := n.many[name]
		return ok
	}
	for i := range n.list {
		if n.list[i].Name == name {
			return true
		}
	}
	return slices.Contains(n.few, name)
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
	reply := &protocol.KeyReply{Key: r.key()}
	r.recordDocument(c, reply.Key, members)
	r.out.Reply = reply
}
