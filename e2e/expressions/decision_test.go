package expressions

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// entry is a case as a decision of its own.
type entry struct {
	c      *testCase
	id     string
	xml    string
	detail bool // the whole answer is compared
}

// decisions runs the cases that EvaluateDecision answers. Expressions share
// resources; those that are refused, or are large, have one for themselves.
func (s *suite) decisions(all []*testCase) {
	var batches [][]entry
	var open []entry
	for i, c := range all {
		e, ok := s.entry(c, fmt.Sprintf("d_%d", i))
		switch {
		case c.Kind == "model":
			s.model(c)
		case !ok:
		case e.detail || len(e.xml) > 2500 || slices.ContainsFunc(c.runs, func(r *run) bool { return r.Op == "!!" }):
			batches = append(batches, []entry{e})
		default:
			if open = append(open, e); len(open) == 40 {
				batches, open = append(batches, open), nil
			}
		}
	}
	if len(open) > 0 {
		batches = append(batches, open)
	}
	each(len(batches), func(i int) { s.batch(fmt.Sprintf("f_%d", i), batches[i]) })
}

func (s *suite) entry(c *testCase, id string) (entry, bool) {
	text := c.Expanded()
	switch c.Kind {
	case "expr":
		return entry{c, id, literal(id, text), false}, true
	case "unary":
		of := c.Of
		if of == "" {
			of = "x"
		}
		return entry{c, id, recorded.Table(id, "F\nin "+of+"\nout r\n"+strings.ReplaceAll(text, " | ", " ")+" | true"), false}, true
	case "table":
		return entry{c, id, recorded.Table(id, text), true}, true
	}
	return entry{}, false
}

// batch deploys decisions together and evaluates them. If the resource is
// refused, its halves are tried.
func (s *suite) batch(name string, list []entry) {
	var body strings.Builder
	for _, e := range list {
		body.WriteString(e.xml)
	}
	resp, err := s.deploy(name+".dmn", definitions(name, body.String()))
	if half := len(list) / 2; err != nil && half > 0 {
		s.batch(name+"a", list[:half])
		s.batch(name+"b", list[half:])
		return
	}
	for _, e := range list {
		for _, r := range e.c.runs {
			if err != nil {
				r.got = refused(err)
			} else {
				r.got = s.evaluate(resp, e.id, r, e.detail)
			}
		}
	}
}

// model runs a case of a whole model: FILE DECISION.
func (s *suite) model(c *testCase) {
	file, decision, _ := strings.Cut(c.Text, " ")
	resp := s.models[file]
	if resp == nil {
		b, err := os.ReadFile(filepath.Join(c.Dir, "models", file))
		if err != nil {
			s.t.Fatal(err)
		}
		if resp, err = s.deploy(file, string(b)); err != nil {
			for _, r := range c.runs {
				r.got = refused(err)
			}
			return
		}
		s.models[file] = resp
	}
	for _, r := range c.runs {
		r.got = s.evaluate(resp, decision, r, true)
	}
}

type (
	answer struct {
		Output    any        `json:"output"`
		Failed    string     `json:"failed,omitempty"`
		Message   string     `json:"message,omitempty"`
		Decisions []decision `json:"decisions"`
	}
	decision struct {
		ID     string   `json:"id"`
		Name   string   `json:"name"`
		Type   string   `json:"type"`
		Output any      `json:"output"`
		Inputs [][3]any `json:"inputs,omitempty"` // id, name, value
		Rules  [][3]any `json:"rules,omitempty"`  // id, index, outputs of id, name, value
	}
)

// evaluate gives the output or the failure; with detail, the whole answer.
func (s *suite) evaluate(deployed *pb.DeployResourceResponse, id string, r *run, detail bool) outcome {
	i := slices.IndexFunc(deployed.Deployments, func(d *pb.Deployment) bool { return d.GetDecision().GetDmnDecisionId() == id })
	if i < 0 {
		return outcome{"?", "no such decision"}
	}
	resp, err := s.gw.EvaluateDecision(s.t.Context(), &pb.EvaluateDecisionRequest{DecisionKey: deployed.Deployments[i].GetDecision().DecisionKey, Variables: r.variables()})
	if err != nil {
		return failed(err)
	}
	message := cut(strings.TrimPrefix(resp.FailureMessage, "Expected to evaluate decision '"+id+"', but "))
	switch {
	case detail:
		return value(answerOf(resp, id, message))
	case resp.FailedDecisionId != "" || resp.FailureMessage != "":
		return outcome{"!", message}
	}
	return outcome{"=", resp.DecisionOutput}
}

func answerOf(resp *pb.EvaluateDecisionResponse, id, message string) answer {
	name := func(s string) string {
		if strings.HasPrefix(id, "d_") { // one of ours
			return strings.ReplaceAll(s, id, "d")
		}
		return s
	}
	a := answer{Failed: name(resp.FailedDecisionId), Message: message, Output: output(resp.DecisionOutput)}
	for _, e := range resp.EvaluatedDecisions {
		d := decision{ID: name(e.DecisionId), Name: name(e.DecisionName), Type: e.DecisionType, Output: output(e.DecisionOutput)}
		for _, in := range e.EvaluatedInputs {
			d.Inputs = append(d.Inputs, [3]any{in.InputId, in.InputName, output(in.InputValue)})
		}
		for _, m := range e.MatchedRules {
			outs := [][3]any{}
			for _, o := range m.EvaluatedOutputs {
				outs = append(outs, [3]any{o.OutputId, o.OutputName, output(o.OutputValue)})
			}
			d.Rules = append(d.Rules, [3]any{m.RuleId, m.RuleIndex, outs})
		}
		a.Decisions = append(a.Decisions, d)
	}
	return a
}

// output reads JSON; nothing is what a failed evaluation gives.
func output(s string) any {
	if s == "" {
		return nil
	}
	v, err := recorded.Parse(s)
	if err != nil {
		return "not JSON: " + s
	}
	return v
}
