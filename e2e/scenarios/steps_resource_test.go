package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

func (r *run) deploy(a args) error {
	req := &pb.DeployResourceRequest{TenantId: a.str("tenant")}
	for _, name := range a.list("") {
		res, err := r.resource(name)
		if err != nil {
			return err
		}
		req.Resources = append(req.Resources, res)
	}
	resp, err := r.gw.DeployResource(r.ctx, req)
	if err != nil {
		r.outcome("deploy", err)
		return nil
	}
	slices.SortStableFunc(resp.Deployments, func(a, b *pb.Deployment) int { return cmp.Compare(sorted(a), sorted(b)) })
	r.say("deploy:")
	for _, d := range resp.Deployments {
		r.deployed(d)
	}
	return nil
}

// sorted is what definitions are put into order by.
func sorted(d *pb.Deployment) string {
	return fmt.Sprintf("%T %s%s%s%s", d.Metadata, d.GetProcess().GetBpmnProcessId(), d.GetDecision().GetDmnDecisionId(), d.GetDecisionRequirements().GetResourceName(), d.GetForm().GetFormId())
}

func (r *run) deployed(d *pb.Deployment) {
	keep := func(id string, version int32, key int64) {
		name := strings.TrimPrefix(strings.TrimPrefix(id, r.id), "-")
		r.refs[fmt.Sprintf("%s:%d", cmp.Or(name, "main"), version)] = key
	}
	if p := d.GetProcess(); p != nil {
		keep(p.BpmnProcessId, p.Version, p.ProcessDefinitionKey)
		r.say("  process %s v%d %s %s", r.norm(p.BpmnProcessId), p.Version, r.key(p.ProcessDefinitionKey), p.ResourceName)
	}
	if p := d.GetDecision(); p != nil {
		keep(p.DmnDecisionId, p.Version, p.DecisionKey)
		r.say("  decision %s %s v%d %s", r.norm(p.DmnDecisionId), p.DmnDecisionName, p.Version, r.key(p.DecisionKey))
	}
	if p := d.GetDecisionRequirements(); p != nil {
		keep(p.DmnDecisionRequirementsId, p.Version, p.DecisionRequirementsKey)
		r.say("  decisionRequirements %s %s v%d %s %s", r.norm(p.DmnDecisionRequirementsId), p.DmnDecisionRequirementsName, p.Version, r.key(p.DecisionRequirementsKey), p.ResourceName)
	}
	if p := d.GetForm(); p != nil {
		keep(p.FormId, p.Version, p.FormKey)
		r.say("  form %s v%d %s %s", r.norm(p.FormId), p.Version, r.key(p.FormKey), p.ResourceName)
	}
}

func (r *run) deleteResource(a args) error {
	key, err := r.ref(a.str(""))
	if err != nil {
		return err
	}
	_, err = r.gw.DeleteResource(r.ctx, &pb.DeleteResourceRequest{ResourceKey: key})
	r.outcome("delete "+a.str(""), err)
	return nil
}

func (r *run) decide(a args) (err error) {
	req := &pb.EvaluateDecisionRequest{}
	if req.Variables, err = r.vars(a, "vars"); err != nil {
		return err
	}
	if k := a.str("key"); k == "" {
		req.DecisionId = unique(r.id, a.str("id"))
	} else if req.DecisionKey, err = r.ref(k); err != nil {
		return err
	}
	resp, err := r.gw.EvaluateDecision(r.ctx, req)
	if err != nil {
		r.outcome("decide", err)
		return nil
	}
	r.say("decide %s v%d: %s failed=%s%s%s", r.norm(resp.DecisionId), resp.DecisionVersion, canonical(resp.DecisionOutput), r.norm(resp.FailedDecisionId), textMark, r.text(resp.FailureMessage))
	for _, d := range resp.EvaluatedDecisions {
		r.decided(d)
	}
	return nil
}

func (r *run) decided(d *pb.EvaluatedDecision) {
	l := fmt.Sprintf("  %s %s v%d: %s", r.norm(d.DecisionId), d.DecisionType, d.DecisionVersion, canonical(d.DecisionOutput))
	for _, in := range d.EvaluatedInputs {
		l += fmt.Sprintf("; input %s=%s", in.InputName, canonical(in.InputValue))
	}
	for _, m := range d.MatchedRules {
		l += fmt.Sprintf("; rule %d", m.RuleIndex)
		for _, o := range m.EvaluatedOutputs {
			l += fmt.Sprintf(" %s=%s", o.OutputName, canonical(o.OutputValue))
		}
	}
	r.say("%s", l)
}
