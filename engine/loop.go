package engine

import (
	"fmt"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// A multi-instance activity is a body with the instances inside it. Both are
// element instances of the same model element: the body has the boundary
// events, each instance has the mappings and the work.

// isBody tells whether el is the body of a multi-instance activity.
func (el *elem) isBody() bool { return el.Extra != nil && el.Extra.Loop != nil }

// isInner tells whether el is one of its instances.
func (el *elem) isInner() bool { return el.model.Loop != nil && !el.isBody() }

func (el *elem) boundary() []*bpmn.Element {
	if el.isInner() {
		return nil
	}
	return el.model.Boundary
}

func (el *elem) eventStarts() []*bpmn.Element {
	if el.isBody() {
		return nil
	}
	return el.model.EventStarts
}

// loopItems is the list that a multi-instance activity is done for.
func (r *run) loopItems(body *elem) (feel.List, *failure) {
	v, fail := r.eval(body.model.Loop.Input, body, "ARRAY", feel.KindList)
	if fail != nil {
		return nil, fail
	}
	return v.(feel.List), nil
}

// openLoop begins a multi-instance activity with the list as it is now.
func (r *run) openLoop(body *elem, items feel.List) {
	body.Extra.Loop.Total = int64(len(items))
	r.recordResults(body)
	if len(items) == 0 {
		r.follow(stepComplete, body)
		return
	}
	size := int(state.LoopItems.LoopChunk())
	for at := 0; at < len(items); at += size {
		var row [][]byte
		for _, item := range items[at:min(len(items), at+size)] {
			row = append(row, feel.AppendJSON(nil, item))
		}
		r.tx.PutLoopRow(body.Key, state.LoopItems, int64(at/size), row, true)
	}
	if body.model.Loop.Sequential {
		r.spawn(body)
	} else {
		r.follow(stepSpawn, body)
	}
}

// spawnAtOnce is how many instances one step makes, so that the bound on the
// steps of a command holds for them too.
const spawnAtOnce = 100

// spawn makes the next instances.
func (r *run) spawn(body *elem) {
	loop := body.Extra.Loop
	if body.State != state.Activated || body.pending() != nil || closing(r.scope(body)) {
		return
	}
	most := int64(spawnAtOnce)
	if body.model.Loop.Sequential {
		most = 1
	}
	most = min(most, loop.Total-loop.Created)
	size := state.LoopItems.LoopChunk()
	var row [][]byte
	for n := range most {
		if n > 0 && r.large() {
			break // the next step goes on
		}
		if n == 0 || loop.Created%size == 0 {
			row = r.tx.LoopRow(body.Key, state.LoopItems, loop.Created/size)
		}
		r.inner(body, row[loop.Created%size])
	}
	switch {
	case loop.Created == loop.Total:
		r.tx.DeleteLoop(body.Key, state.LoopItems, loop.Total)
	case !body.model.Loop.Sequential:
		r.follow(stepSpawn, body)
	}
	body.dirty = true
}

// inner makes one instance. The variable of its result is its own, so that the
// instances do not overwrite each other's (recorded with 8.6.0:
// mi-output-collection).
func (r *run) inner(body *elem, item []byte) {
	l := body.model.Loop
	el := r.enter(body.model, body)
	body.Extra.Loop.Created++
	el.Extra = &state.Extra{Index: body.Extra.Loop.Created}
	if l.InputElement != "" {
		el.SetVariable(l.InputElement, item)
		r.held += len(item)
	}
	if l.OutputVariable != "" && el.Variable(l.OutputVariable) == nil {
		el.SetVariable(l.OutputVariable, []byte("null"))
	}
	if l.InputElement != "loopCounter" {
		el.SetVariable("loopCounter", fmt.Appendf(nil, "%d", el.Extra.Index))
	}
}

// collect takes the result of an instance that is done, and asks whether that
// was enough.
func (r *run) collect(el *elem) *failure {
	body := r.scope(el)
	if fail := r.keepResult(el, body); fail != nil {
		return fail
	}
	x := el.model.Loop.Completion
	if x == nil {
		return nil
	}
	loop := body.Extra.Loop
	instances := loop.Total
	if el.model.Loop.Sequential { // those that have been created, seen on Zeebe 8.6.0
		instances = loop.Created
	}
	counts := feel.NewContext(
		feel.Entry{Key: "numberOfInstances", Value: feel.NewInt(instances)},
		feel.Entry{Key: "numberOfActiveInstances", Value: feel.NewInt(loop.Created - loop.Done - loop.Terminated - 1)},
		feel.Entry{Key: "numberOfCompletedInstances", Value: feel.NewInt(loop.Done + 1)},
		feel.Entry{Key: "numberOfTerminatedInstances", Value: feel.NewInt(loop.Terminated)},
	)
	res, err := r.evaluate(x, partial{counts, scopeChain{r, el}})
	if err != nil {
		return &failure{"EXTRACT_VALUE_ERROR", err.Error() + warnings(res.Warnings)}
	}
	enough, ok := res.Value.(feel.Bool)
	if !ok {
		text := fmt.Sprintf("Expected result of the expression '%s' to be 'BOOLEAN', but was '%s'.", x.Source(), kindName(res.Value))
		return &failure{"EXTRACT_VALUE_ERROR", text + warnings(res.Warnings)}
	}
	el.enough = bool(enough)
	return nil
}

// keepResult writes the result of one instance to its place in the list.
func (r *run) keepResult(el, body *elem) *failure {
	l := el.model.Loop
	if l.OutputCollection == "" || l.OutputElement == nil {
		return nil
	}
	res, err := r.value(l.OutputElement, el)
	if err != nil {
		return &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	if res.Value == nil {
		res.Value = feel.Null{}
	}
	size := state.LoopResults.LoopChunk()
	i := el.Extra.Index - 1
	row := r.tx.LoopRow(body.Key, state.LoopResults, i/size)
	fresh := row == nil
	for int64(len(row)) <= i%size {
		row = append(row, nil)
	}
	row[i%size] = feel.AppendJSON(nil, res.Value)
	r.tx.PutLoopRow(body.Key, state.LoopResults, i/size, row, fresh)
	delete(r.results, body.Key)
	r.recordResults(body)
	return nil
}

// resultList is the list of the results so far; null stands for what is missing.
// It is put together once per command.
func (r *run) resultList(body *elem) []byte {
	if b := r.results[body.Key]; b != nil {
		return b
	}
	total, size := body.Extra.Loop.Total, state.LoopResults.LoopChunk()
	b := []byte{'['}
	var row [][]byte
	for i := range total {
		if i%size == 0 {
			row = r.tx.LoopRow(body.Key, state.LoopResults, i/size)
		}
		if i > 0 {
			b = append(b, ',')
		}
		if i%size < int64(len(row)) && len(row[i%size]) > 0 {
			b = append(b, row[i%size]...)
		} else {
			b = append(b, "null"...)
		}
	}
	b = append(b, ']')
	if r.results == nil {
		r.results = map[protocol.Key][]byte{}
	}
	r.results[body.Key] = b
	return b
}

// leaveLoop goes on in a body when one of its instances is done.
func (r *run) leaveLoop(el *elem) {
	body := r.exit(el)
	loop := body.Extra.Loop
	loop.Done++
	switch {
	case el.enough:
		if loop.Created < loop.Total {
			r.tx.DeleteLoop(body.Key, state.LoopItems, loop.Total)
			loop.Created = loop.Total
		}
		r.interrupt(body, &state.Pending{})
	case loop.Created < loop.Total && body.model.Loop.Sequential:
		r.spawn(body)
	default:
		r.scopeDone(body)
	}
}

// closeLoop hands the results of a body to the scope around it.
func (r *run) closeLoop(body *elem) {
	if name := body.model.Loop.OutputCollection; name != "" {
		r.propagate(r.scope(body), name, r.resultList(body))
	}
}

// dropLoop forgets the lists of a body that ends.
func (r *run) dropLoop(body *elem) {
	loop := body.Extra.Loop
	if loop.Created < loop.Total {
		r.tx.DeleteLoop(body.Key, state.LoopItems, loop.Total)
	}
	if body.model.Loop.OutputCollection != "" {
		r.tx.DeleteLoop(body.Key, state.LoopResults, loop.Total)
	}
}
