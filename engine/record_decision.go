package engine

import (
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
)

// recordEvaluation records that a decision was evaluated: for a business rule
// task, or, if el is nil, for a client with its variables.
func (r *run) recordEvaluation(el *elem, variables []jsondoc.Member, ev *protocol.Evaluated) {
	if r.rec == nil {
		return
	}
	d := &ev.Decision
	o := r.rec.begin().str("decisionId", d.ID).str("decisionName", d.Name).key("decisionKey", d.Key).num("decisionVersion", int64(d.Version)).
		str("decisionRequirementsId", ev.RequirementsID).key("decisionRequirementsKey", ev.RequirementsKey).
		str("decisionOutput", outputText(d.Output)).members("variables", variables)
	if el != nil {
		o.process(el).key("elementInstanceKey", el.Key).str("elementId", el.Element)
	} else {
		o.str("bpmnProcessId", "").key("processDefinitionKey", 0).key("processInstanceKey", 0).key("elementInstanceKey", 0).str("elementId", "")
	}
	evaluatedValues(o, ev.Decisions)
	o.str("failedDecisionId", ev.FailedID).str("evaluationFailureMessage", ev.FailureMessage)
	intent := "EVALUATED"
	if ev.FailedID != "" {
		intent = "FAILED"
	}
	r.rec.event("DECISION_EVALUATION", intent, r.key())
}

// outputText is a value's JSON, as a text; there is none if it failed.
func outputText(output []byte) string {
	if len(output) == 0 {
		return "null"
	}
	return string(output)
}

func evaluatedValues(o *object, list []protocol.EvaluatedDecision) {
	o.list("evaluatedDecisions", len(list), func(i int, o *object) {
		d := &list[i]
		o.str("decisionId", d.ID).str("decisionName", d.Name).key("decisionKey", d.Key).num("decisionVersion", int64(d.Version)).
			str("decisionType", d.Type).str("decisionOutput", outputText(d.Output))
		o.list("evaluatedInputs", len(d.Inputs), func(i int, o *object) {
			o.str("inputId", d.Inputs[i].ID).str("inputName", d.Inputs[i].Name).str("inputValue", string(d.Inputs[i].Value))
		})
		o.list("matchedRules", len(d.Rules), func(i int, o *object) {
			rule := &d.Rules[i]
			o.str("ruleId", rule.ID).num("ruleIndex", int64(rule.Index))
			o.list("evaluatedOutputs", len(rule.Outputs), func(i int, o *object) {
				o.str("outputId", rule.Outputs[i].ID).str("outputName", rule.Outputs[i].Name).str("outputValue", string(rule.Outputs[i].Value))
			})
		})
	})
}

// list writes a list of n objects, each with the tenant.
func (o *object) list(name string, n int, write func(i int, o *object)) {
	o.name(name)
	*o = append(*o, '[')
	for i := range n {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = append(*o, `{"tenantId":"<default>"`...)
		write(i, o)
		*o = append(*o, '}')
	}
	*o = append(*o, ']')
}

// recordUserTask records what happens to a user task that has no job.
func (r *run) recordUserTask(el *elem, t *userTask, intents ...string) {
	if r.rec == nil {
		return
	}
	of := map[string]string{}
	for _, h := range t.headers {
		of[h.Key] = h.Value
	}
	for _, intent := range intents {
		o := r.rec.begin().process(el).num("processDefinitionVersion", int64(el.def.Version)).key("elementInstanceKey", el.Key).str("elementId", el.Element).
			key("userTaskKey", el.Extra.UserTask).str("assignee", of[bpmn.HeaderAssignee]).str("dueDate", of[bpmn.HeaderDueDate]).
			str("followUpDate", of[bpmn.HeaderFollowUpDate]).key("formKey", t.form).str("externalFormReference", t.reference).
			num("priority", t.priority).num("creationTimestamp", r.now).str("action", "").json("changedAttributes", []byte("[]")).json("variables", nil)
		candidates(o, "candidateGroupsList", of[bpmn.HeaderCandidates])
		candidates(o, "candidateUsersList", of[bpmn.HeaderCandidateUsers])
		o.members("customHeaders", customHeaders(t.headers))
		r.rec.event("USER_TASK", intent, el.Extra.UserTask)
	}
}

// candidates writes a header that is a JSON list.
func candidates(o *object, name, list string) {
	if list == "" {
		list = "[]"
	}
	o.json(name, []byte(list))
}

// customHeaders are those that do not say who is to do a task.
func customHeaders(headers []bpmn.Header) (list []jsondoc.Member) {
	for _, h := range headers {
		if !strings.HasPrefix(h.Key, "io.camunda.zeebe:") {
			list = setMember(list, h.Key, jsondoc.AppendName(nil, h.Value))
		}
	}
	return list
}
