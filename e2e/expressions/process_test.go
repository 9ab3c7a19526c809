package expressions

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What the cases call.
const (
	childID    = "feel-child"    // a process that sets r to "child"
	decisionID = "feel-decision" // a decision that gives x * 2
	failingID  = "feel-failing"  // a decision that always fails
)

// processes runs the cases that need an instance.
func (s *suite) processes(all []*testCase) {
	type pair struct {
		c *testCase
		r *run
	}
	var todo []pair
	for _, c := range all {
		switch c.Kind {
		case "expr", "unary", "table", "model":
		default:
			for _, r := range c.runs {
				todo = append(todo, pair{c, r})
			}
		}
	}
	child, err := bpmn(childID, "script", `"child"`)
	if err == nil {
		_, err = s.deploy(childID+".bpmn", child)
	}
	if err == nil {
		_, err = s.deploy(decisionID+".dmn", definitions(decisionID+"s", literal(decisionID, "x * 2")+literal(failingID, `assert(x, false, "never")`)))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	each(len(todo), func(i int) { todo[i].r.got = s.process(todo[i].c, todo[i].r, fmt.Sprintf("p_%d", i)) })
}

// told is the record that answers a kind of case; the others end with a result
// or an incident.
var told = map[string]string{
	"date": "TIMER", "duration": "TIMER", "cycle": "TIMER", "start-date": "TIMER", "start-cycle": "TIMER", "user": "JOB", "job": "JOB",
	"key": "PROCESS_MESSAGE_SUBSCRIPTION", "message": "PROCESS_MESSAGE_SUBSCRIPTION",
}

// process runs one instance and says what came of it: the variable r, the
// incident, or what the kind of the case is about.
func (s *suite) process(c *testCase, r *run, id string) outcome {
	xml, err := bpmn(id, c.Kind, c.Expanded())
	if err != nil {
		return failed(err)
	}
	deployed, err := s.deploy(id+".bpmn", xml)
	if err != nil {
		return refused(err)
	}
	definition := deployed.Deployments[0].GetProcess().GetProcessDefinitionKey()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if strings.HasPrefix(c.Kind, "start-") {
		rec, err := s.seen.wait(ctx, id, definition, told[c.Kind])
		if err != nil {
			return failed(err)
		}
		_, err = s.gw.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: definition}) // so that it starts nothing
		return orFailed(rec.outcome(c, id), err)
	}
	results := make(chan outcome, 1)
	awaited, stop := context.WithCancel(ctx)
	defer stop()
	go func() { results <- s.result(awaited, c, r, id) }()
	recorded := make(chan *record, 1)
	go func() {
		if rec, err := s.seen.wait(awaited, id, definition, "INCIDENT", cmp.Or(told[c.Kind], "INCIDENT")); err == nil {
			recorded <- rec
		}
	}()
	select {
	case got := <-results:
		return got
	case rec := <-recorded:
		return s.recorded(ctx, c, rec, id, results)
	}
}

func orFailed(o outcome, err error) outcome {
	if err != nil {
		return failed(err)
	}
	return o
}

// recorded says what a record tells, and ends the instance: by its message, if
// it waits for one.
func (s *suite) recorded(ctx context.Context, c *testCase, rec *record, id string, results <-chan outcome) outcome {
	if rec.ValueType != "PROCESS_MESSAGE_SUBSCRIPTION" {
		_, err := s.gw.CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: rec.Value.ProcessInstanceKey})
		if status.Code(err) == codes.NotFound { // it has ended meanwhile
			err = nil
		}
		return orFailed(rec.outcome(c, id), err)
	}
	_, err := s.gw.PublishMessage(ctx, &pb.PublishMessageRequest{Name: rec.Value.MessageName, CorrelationKey: rec.Value.CorrelationKey, TimeToLive: patience.Milliseconds()})
	if err != nil {
		return failed(err)
	}
	if got := <-results; got.op != "=" {
		return got
	}
	return rec.outcome(c, id)
}

// result starts an instance and waits for its end.
func (s *suite) result(ctx context.Context, c *testCase, r *run, id string) outcome {
	req := &pb.CreateProcessInstanceWithResultRequest{RequestTimeout: patience.Milliseconds(), FetchVariables: []string{"r"},
		Request: &pb.CreateProcessInstanceRequest{BpmnProcessId: id, Version: -1, Variables: r.variables()}}
	if c.Kind == "mappings" {
		req.FetchVariables = nil
	}
	resp, err := s.gw.CreateProcessInstanceWithResult(ctx, req)
	switch {
	case err != nil:
		return failed(err)
	case c.Kind == "mappings":
		return outcome{"=", resp.Variables}
	}
	vars := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(resp.Variables), &vars); err != nil {
		return failed(errors.Join(err, errors.New(resp.Variables)))
	}
	if v, ok := vars["r"]; ok {
		return outcome{"=", string(v)}
	}
	return outcome{"=", `"(absent)"`}
}
