package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// decided is what a decision gave, and what went before it.
type decided struct {
	Key       string             `json:"key"`
	ID        string             `json:"id"`
	Version   int32              `json:"version"`
	Output    json.RawMessage    `json:"output"`
	Evaluated []evaluated        `json:"evaluated"`
	Failure   *evaluationFailure `json:"failure,omitempty"`
}

// evaluated is one decision on the way, with the rules that matched.
type evaluated struct {
	ID      string          `json:"id"`
	Version int32           `json:"version"`
	Output  json.RawMessage `json:"output"`
	Rules   []int32         `json:"rules"` // that matched, from 1
}

type evaluationFailure struct {
	DecisionID string `json:"decisionId"`
	Message    string `json:"message"`
}

func (a *app) decideCommand() *cobra.Command {
	var addresses []string
	var key string
	req := &pb.EvaluateDecisionRequest{}
	cmd := &cobra.Command{
		Use: "decide [ID]", Short: "Evaluate a decision", Args: atMostOne,
		Example: "  grevy decide rate --variables '{\"age\": 31}'\n  grevy decide --key 2251799813685252 --variables @vars.json -o json",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if req.DecisionId, req.DecisionKey, err = oneOf("ID", args, key); err != nil {
				return err
			}
			if req.Variables, err = a.variables(req.Variables); err != nil {
				return err
			}
			reply, err := call(cmd.Context(), addresses, pb.NewGatewayClient, pb.GatewayClient.EvaluateDecision, req)
			if err != nil {
				return err
			}
			return a.printDecided(decidedOf(reply))
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().StringVar(&key, "key", "", "KEY of the decision, instead of its id: of one version")
	cmd.Flags().StringVar(&req.Variables, "variables", "{}", variablesUsage)
	return cmd
}

func decidedOf(r *pb.EvaluateDecisionResponse) *decided {
	d := &decided{
		Key: strconv.FormatInt(r.GetDecisionKey(), 10), ID: r.GetDecisionId(), Version: r.GetDecisionVersion(), Output: output(r.GetDecisionOutput()),
		Evaluated: []evaluated{},
	}
	for _, e := range r.GetEvaluatedDecisions() {
		one := evaluated{ID: e.GetDecisionId(), Version: e.GetDecisionVersion(), Output: output(e.GetDecisionOutput()), Rules: []int32{}}
		for _, m := range e.GetMatchedRules() {
			one.Rules = append(one.Rules, m.GetRuleIndex())
		}
		d.Evaluated = append(d.Evaluated, one)
	}
	if r.GetFailureMessage() != "" {
		d.Failure = &evaluationFailure{r.GetFailedDecisionId(), r.GetFailureMessage()}
	}
	return d
}

// output is the JSON of a result, null if there is none.
func output(text string) json.RawMessage {
	if text == "" {
		text = "null"
	}
	return raw(text)
}

// printDecided prints a decision. One that failed is an error, after what is
// known of it.
func (a *app) printDecided(d *decided) error {
	if a.json() {
		if err := a.document(d); err != nil || d.Failure == nil {
			return err
		}
		return &exit{code: exitError}
	}
	for _, e := range d.Evaluated {
		if e.ID == d.ID && d.Failure == nil {
			continue // it is the last line
		}
		fmt.Fprintf(a.out, "first %s v%d: %s%s\n", e.ID, e.Version, e.Output, rulesText(e.Rules))
	}
	if d.Failure != nil {
		return fmt.Errorf("decision %s failed: %s", d.Failure.DecisionID, d.Failure.Message)
	}
	_, err := fmt.Fprintf(a.out, "%s v%d: %s%s\n", d.ID, d.Version, d.Output, rulesText(d.rules()))
	return err
}

func (d *decided) rules() []int32 {
	for _, e := range d.Evaluated {
		if e.ID == d.ID {
			return e.Rules
		}
	}
	return nil
}

func rulesText(rules []int32) string {
	if len(rules) == 0 {
		return ""
	}
	var list []string
	for _, n := range rules {
		list = append(list, strconv.Itoa(int(n)))
	}
	if len(list) == 1 {
		return " (rule " + list[0] + ")"
	}
	return " (rules " + strings.Join(list, ", ") + ")"
}
