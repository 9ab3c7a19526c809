package engine

import (
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
)

// runScript evaluates a script task's expression. Its value leaves the task
// like a worker's variables: as it is, or through the output mappings (recorded
// with 8.6.0: script-task-expression). A value of null is no failure.
func (r *run) runScript(el *elem) {
	s := el.model.Script
	res, err := r.value(s.Expression, el)
	if err != nil {
		r.incident(el, "EXTRACT_VALUE_ERROR", err.Error(), stepRunScript)
		return
	}
	if res.Value == nil {
		res.Value = feel.Null{}
	}
	r.mergeCompletion(el, []jsondoc.Member{{Name: s.Result, Value: feel.AppendJSON(nil, res.Value)}})
	r.complete(el)
}
