package engine

import (
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
)

// runScript evaluates a script task's expression. Its value leaves the task
// like a worker's variables: as it is, or through the output mappings (recorded
// with 8.6.0: script-task-expression). A value of null is no failure.
func (r *run) runScript(el *elem) *failure {
	s := el.model.Script
	res, err := r.value(s.Expression, el)
	if err != nil {
		return &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	if res.Value == nil {
		res.Value = feel.Null{}
	}
	r.gave(el, []jsondoc.Member{{Name: s.Result, Value: feel.AppendJSON(nil, res.Value)}})
	return nil
}
