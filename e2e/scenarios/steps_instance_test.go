package scenarios

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/status"
)

func (r *run) createRequest(a args) (*pb.CreateProcessInstanceRequest, error) {
	vars, err := r.vars(a, "vars")
	if err != nil {
		return nil, err
	}
	req := &pb.CreateProcessInstanceRequest{Version: int32(a.num("version", -1)), Variables: vars, TenantId: a.str("tenant")}
	if k := a.str("key"); k == "" {
		req.BpmnProcessId = unique(r.id, a.str("process"))
	} else if req.ProcessDefinitionKey, err = r.ref(k); err != nil {
		return nil, err
	}
	for _, e := range a.list("at") {
		req.StartInstructions = append(req.StartInstructions, &pb.ProcessInstanceCreationStartInstruction{ElementId: e})
	}
	return req, nil
}

func (r *run) create(a args) error {
	req, err := r.createRequest(a)
	if err != nil {
		return err
	}
	resp, err := r.gw.CreateProcessInstance(r.ctx, req)
	if err != nil {
		r.outcome("create", err)
		return nil
	}
	name := a.or("as", "i")
	r.refs[name] = resp.ProcessInstanceKey
	r.instances = append(r.instances, name)
	r.say("create: %s v%d of %s instance %s", r.norm(resp.BpmnProcessId), resp.Version, r.key(resp.ProcessDefinitionKey), r.key(resp.ProcessInstanceKey))
	return nil
}

// result waits for the end of an instance; with as: beside the other steps, up
// to join.
func (r *run) result(a args) error {
	req, err := r.createRequest(a)
	if err != nil {
		return err
	}
	call := func() []string {
		resp, err := r.gw.CreateProcessInstanceWithResult(r.ctx, &pb.CreateProcessInstanceWithResultRequest{Request: req,
			RequestTimeout: a.dur("timeout", 40*time.Second).Milliseconds(), FetchVariables: a.list("fetch")})
		if err != nil {
			s := status.Convert(err)
			return []string{fmt.Sprintf("result: %s%s%s", s.Code(), textMark, r.text(s.Message()))}
		}
		return []string{fmt.Sprintf("result: %s v%d %s", r.norm(resp.BpmnProcessId), resp.Version, r.norm(canonical(resp.Variables)))}
	}
	name := a.str("as")
	if name == "" {
		r.lines = append(r.lines, call()...)
		return nil
	}
	c := make(chan []string, 1)
	r.results[name] = c
	go func() { c <- call() }()
	return nil
}

func (r *run) join(a args) error {
	c := r.results[a.str("")]
	if c == nil {
		return fmt.Errorf("no result %q", a.str(""))
	}
	r.lines = append(r.lines, <-c...)
	return nil
}

// watch looks at the end of instances that the scenario has not created itself.
func (r *run) watch(a args) error {
	for name, ref := range a {
		k, err := r.ref(fmt.Sprint(ref))
		if err != nil {
			return err
		}
		r.refs[name] = k
		r.instances = append(r.instances, name)
	}
	return nil
}

func (r *run) cancel(a args) error {
	key, err := r.ref(a.or("", "i"))
	if err != nil {
		return err
	}
	_, err = r.gw.CancelProcessInstance(r.ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key})
	r.outcome("cancel", err)
	return nil
}

func (r *run) setVariables(a args) error {
	key, err := r.ref(a.or("scope", "i"))
	if err != nil {
		return err
	}
	vars, err := r.vars(a, "vars")
	if err != nil {
		return err
	}
	_, err = r.gw.SetVariables(r.ctx, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: vars, Local: a.is("local")})
	r.outcome("setvars", err)
	return nil
}

func (r *run) modify(a args) error {
	key, err := r.ref(a.or("instance", "i"))
	if err != nil {
		return err
	}
	req := &pb.ModifyProcessInstanceRequest{ProcessInstanceKey: key}
	for _, x := range a.maps("activate") {
		in, err := r.activation(x)
		if err != nil {
			return err
		}
		req.ActivateInstructions = append(req.ActivateInstructions, in)
	}
	for _, t := range a.list("terminate") {
		k, err := r.ref(t)
		if err != nil {
			return err
		}
		req.TerminateInstructions = append(req.TerminateInstructions, &pb.ModifyProcessInstanceRequest_TerminateInstruction{ElementInstanceKey: k})
	}
	_, err = r.gw.ModifyProcessInstance(r.ctx, req)
	r.outcome("modify", err)
	return nil
}

func (r *run) activation(x args) (*pb.ModifyProcessInstanceRequest_ActivateInstruction, error) {
	in := &pb.ModifyProcessInstanceRequest_ActivateInstruction{ElementId: x.str("element"), AncestorElementInstanceKey: -1}
	if s := x.str("ancestor"); s != "" {
		var err error
		if in.AncestorElementInstanceKey, err = r.ref(s); err != nil {
			return nil, err
		}
	}
	for _, v := range x.maps("vars") {
		vars, err := r.vars(v, "set")
		if err != nil {
			return nil, err
		}
		in.VariableInstructions = append(in.VariableInstructions, &pb.ModifyProcessInstanceRequest_VariableInstruction{
			Variables: vars, ScopeId: strings.ReplaceAll(v.str("scope"), "${id}", r.id)})
	}
	return in, nil
}

func (r *run) migrate(a args) error {
	key, err := r.ref(a.or("instance", "i"))
	if err != nil {
		return err
	}
	to, err := r.ref(a.str("to"))
	if err != nil {
		return err
	}
	plan := &pb.MigrateProcessInstanceRequest_MigrationPlan{TargetProcessDefinitionKey: to}
	for _, p := range a.list("map") {
		from, into, _ := strings.Cut(p, "->")
		plan.MappingInstructions = append(plan.MappingInstructions, &pb.MigrateProcessInstanceRequest_MappingInstruction{
			SourceElementId: strings.TrimSpace(from), TargetElementId: strings.TrimSpace(into)})
	}
	_, err = r.gw.MigrateProcessInstance(r.ctx, &pb.MigrateProcessInstanceRequest{ProcessInstanceKey: key, MigrationPlan: plan})
	r.outcome("migrate", err)
	return nil
}

// resolve resolves the newest open incident of an element, or of any.
func (r *run) resolve(a args) error {
	element := a.str("")
	key, err := r.ref("unknown")
	if err != nil {
		return err
	}
	if element != "unknown" {
		if key, err = r.openIncident(element); err != nil {
			return err
		}
	}
	_, err = r.gw.ResolveIncident(r.ctx, &pb.ResolveIncidentRequest{IncidentKey: key})
	r.outcome("resolve "+element, err)
	return nil
}

// openIncident waits for an incident that is not resolved; no client learns its
// key, only who reads the records does.
func (r *run) openIncident(element string) (key int64, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, 30*time.Second)
	defer cancel()
	ok := r.store.wait(ctx, r.id, func(all []*record) bool {
		key = 0
		resolved := map[int64]bool{}
		for _, e := range all {
			if e.ValueType == "INCIDENT" && e.Intent == "RESOLVED" {
				resolved[e.Key] = true
			}
		}
		for _, e := range all {
			if e.ValueType == "INCIDENT" && e.Intent == "CREATED" && !resolved[e.Key] && (element == "" || e.Value.ElementID == element) {
				key = e.Key
			}
		}
		return key != 0
	})
	if !ok {
		err = fmt.Errorf("no open incident of %q within 30 s", element)
	}
	return key, err
}
