package bpmn

import (
	"strconv"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// Names of the headers a user task's job carries besides its own.
const (
	UserTaskJobType      = "io.camunda.zeebe:userTask"
	HeaderAssignee       = "io.camunda.zeebe:assignee"
	HeaderCandidateUsers = "io.camunda.zeebe:candidateUsers"
	HeaderCandidates     = "io.camunda.zeebe:candidateGroups"
	HeaderDueDate        = "io.camunda.zeebe:dueDate"
	HeaderFollowUpDate   = "io.camunda.zeebe:followUpDate"
	HeaderFormKey        = "io.camunda.zeebe:formKey"
)

// userTask makes the job of a user task: one retry, and headers that say who
// is to do it. Those that are constant join the task's headers, the others
// stand in Dynamic. It returns the priority, which no job has.
func (b *builder) userTask(n *node, e *Element, j *Job, headers *[]Header) (priority *feel.Expression) {
	j.Type = b.expression(n, UserTaskJobType, false)
	j.Retries = b.expression(n, "1", false)
	if f := n.extension("formDefinition"); f != nil {
		b.form(f, e, headers)
	}
	if a := n.extension("assignmentDefinition"); a != nil {
		b.assignment(a, j, headers)
	}
	if p := n.extension("priorityDefinition"); p != nil {
		priority = b.priority(p)
	}
	s := n.extension("taskSchedule")
	if s == nil {
		return priority
	}
	for _, d := range []struct{ attr, header string }{{"dueDate", HeaderDueDate}, {"followUpDate", HeaderFollowUpDate}} {
		if text := s.attr(d.attr); text != "" {
			b.date(s, text)
			b.dynamic(j, d.header, DateHeader, s, text)
		}
	}
	return priority
}

// form reads how a form is given: by a key of another system, or by the id of
// one that is deployed.
func (b *builder) form(f *node, e *Element, headers *[]Header) {
	if key := f.attr("formKey"); key != "" {
		*headers = append(*headers, Header{HeaderFormKey, b.keep(key)})
	}
	if id := f.attr("formId"); strings.TrimSpace(id) != "" {
		e.Form = &LinkedForm{ID: b.expression(f, id, false), Binding: b.binding(f)}
	}
}

// externalForm is where another system keeps the form of a native user task.
func (b *builder) externalForm(n *node) *feel.Expression {
	f := n.extension("formDefinition")
	if f == nil || f.attr("externalReference") == "" {
		return nil
	}
	return b.expression(f, f.attr("externalReference"), false)
}

func (b *builder) assignment(a *node, j *Job, headers *[]Header) {
	if text := a.attr("assignee"); strings.HasPrefix(text, "=") {
		b.dynamic(j, HeaderAssignee, StringHeader, a, text)
	} else if text != "" {
		*headers = append(*headers, Header{HeaderAssignee, b.keep(text)})
	}
	for _, l := range []struct{ attr, header string }{{"candidateGroups", HeaderCandidates}, {"candidateUsers", HeaderCandidateUsers}} {
		text := a.attr(l.attr)
		switch {
		case text == "":
		case strings.HasPrefix(text, "="):
			b.dynamic(j, l.header, ListHeader, a, text)
		default:
			*headers = append(*headers, Header{l.header, b.list(a, text)})
		}
	}
}

func (b *builder) dynamic(j *Job, header string, t HeaderType, at *node, text string) {
	j.Dynamic = append(j.Dynamic, DynamicHeader{header, t, b.expression(at, text, false)})
	b.size += 48
}

// list gives comma-separated values as a JSON array.
func (b *builder) list(at *node, text string) string {
	values := strings.Split(text, ",")
	for i, v := range values {
		if values[i] = strings.TrimSpace(v); values[i] == "" {
			b.wrong.add(at, "Expected static value to be a list of comma-separated values, e.g. 'a,b,c', but found '%s'.", text)
			return ""
		}
	}
	out := string(compactJSON(values))
	b.size += len(out)
	return out
}

// date checks a date that is no expression.
func (b *builder) date(at *node, text string) {
	if !strings.HasPrefix(text, "=") && !isDateTime(text) {
		b.wrong.add(at, "Expected static value to be a valid DateTime String, e.g. '2023-03-02T15:35+02:00', but found '%s'.", text)
	}
}

// priority checks the priority of a native user task.
func (b *builder) priority(n *node) *feel.Expression {
	text := n.attr("priority")
	if text == "" {
		return nil
	}
	e := b.expression(n, text, false)
	if e == nil || !e.IsStatic() {
		return e
	}
	if v, err := strconv.Atoi(text); err != nil || v < 0 || v > 100 {
		b.wrong.add(n, "Priority must be a number between 0 and 100, but was '%s'.", text)
	}
	return e
}
