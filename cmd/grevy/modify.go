package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// modifyCommand lets an instance go on elsewhere than where it is.
func (a *app) modifyCommand() *cobra.Command {
	var activate, terminate []string
	var text string
	req := &pb.ModifyProcessInstanceRequest{}
	v := keyVerb{
		use: "modify", short: "Begin at elements of an instance, and end others", key: "KEY", past: "modified",
		example: "  grevy modify 4503599627370500 --activate ship --terminate 4503599627370504\n" +
			"  grevy modify 4503599627370500 --activate check@4503599627370503 --variables @vars.json",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.ModifyProcessInstance, func(key int64) *pb.ModifyProcessInstanceRequest {
		req.ProcessInstanceKey = key
		return req
	})
	cmd.Flags().StringSliceVar(&activate, "activate", nil, "ELEMENT to begin at, or ELEMENT@KEY inside the element instance KEY; may be given again")
	cmd.Flags().StringSliceVar(&terminate, "terminate", nil, "KEY of an element instance to end; may be given again")
	cmd.Flags().StringVar(&text, "variables", "", "variables of the instance to set before: "+variablesUsage)
	cmd.PreRunE = func(*cobra.Command, []string) (err error) {
		if len(activate)+len(terminate) == 0 {
			return fmt.Errorf("activate: is missing, and terminate too")
		}
		if text != "" && len(activate) == 0 {
			return fmt.Errorf("variables: need --activate")
		}
		if text, err = a.variables(text); err != nil {
			return err
		}
		return readInstructions(req, activate, terminate, text)
	}
	return cmd
}

// readInstructions fills a request. The variables go with the first element.
func readInstructions(req *pb.ModifyProcessInstanceRequest, activate, terminate []string, variables string) error {
	for i, s := range activate {
		id, at, inside := strings.Cut(s, "@")
		in := &pb.ModifyProcessInstanceRequest_ActivateInstruction{ElementId: id, AncestorElementInstanceKey: -1}
		if inside {
			key, err := parseKey("activate", at)
			if err != nil {
				return err
			}
			in.AncestorElementInstanceKey = key
		}
		if i == 0 && variables != "{}" {
			in.VariableInstructions = []*pb.ModifyProcessInstanceRequest_VariableInstruction{{Variables: variables}}
		}
		req.ActivateInstructions = append(req.ActivateInstructions, in)
	}
	for _, s := range terminate {
		key, err := parseKey("terminate", s)
		if err != nil {
			return err
		}
		req.TerminateInstructions = append(req.TerminateInstructions, &pb.ModifyProcessInstanceRequest_TerminateInstruction{ElementInstanceKey: key})
	}
	return nil
}

// migrateCommand lets an instance go on in another definition.
func (a *app) migrateCommand() *cobra.Command {
	var to string
	var elements []string
	plan := &pb.MigrateProcessInstanceRequest_MigrationPlan{}
	v := keyVerb{
		use: "migrate", short: "Let an instance go on in another definition", key: "KEY", past: "migrated",
		example: "  grevy migrate 4503599627370500 --to 2251799813685260 --map pay --map ship=deliver",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.MigrateProcessInstance, func(key int64) *pb.MigrateProcessInstanceRequest {
		return &pb.MigrateProcessInstanceRequest{ProcessInstanceKey: key, MigrationPlan: plan}
	})
	cmd.Flags().StringVar(&to, "to", "", "KEY of the definition")
	cmd.Flags().StringSliceVar(&elements, "map", nil, "SOURCE=TARGET, an element and the one that takes over, or ELEMENT if both have one id; may be given again")
	cmd.PreRunE = func(*cobra.Command, []string) (err error) {
		if to == "" {
			return fmt.Errorf("to: is missing")
		}
		if plan.TargetProcessDefinitionKey, err = parseKey("to", to); err != nil {
			return err
		}
		for _, s := range elements {
			source, target, renamed := strings.Cut(s, "=")
			if !renamed {
				target = source
			}
			if source == "" || target == "" {
				return fmt.Errorf("map: %s is not SOURCE=TARGET", strconv.Quote(s))
			}
			plan.MappingInstructions = append(plan.MappingInstructions, &pb.MigrateProcessInstanceRequest_MappingInstruction{SourceElementId: source, TargetElementId: target})
		}
		return nil
	}
	return cmd
}
