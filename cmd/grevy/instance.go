package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// done is the answer to a command that has nothing else to say.
type done struct {
	Done string `json:"done"`
	Key  string `json:"key"`
}

func (a *app) printDone(what string, key int64) error {
	if a.json() {
		return a.document(done{what, strconv.FormatInt(key, 10)})
	}
	_, err := fmt.Fprintln(a.out, what, key)
	return err
}

// keyCommand is a command about one key.
func (a *app) keyCommand(use, short, key, past string, do func(ctx context.Context, c pb.GatewayClient, key int64) error) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use: use + " " + key, Short: short, Args: arguments(key),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := parseKey(key, args[0])
			if err != nil {
				return err
			}
			if _, err = call(addresses, func(c pb.GatewayClient) (struct{}, error) { return struct{}{}, do(cmd.Context(), c, k) }); err != nil {
				return err
			}
			return a.printDone(past, k)
		},
	}
	addressFlag(cmd, &addresses)
	return cmd
}

func (a *app) cancelCommand() *cobra.Command {
	return a.keyCommand("cancel", "Cancel an instance", "KEY", "cancelled", func(ctx context.Context, c pb.GatewayClient, key int64) error {
		_, err := c.CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key})
		return err
	})
}

func (a *app) resolveCommand() *cobra.Command {
	return a.keyCommand("resolve", "Resolve an incident", "KEY", "resolved", func(ctx context.Context, c pb.GatewayClient, key int64) error {
		_, err := c.ResolveIncident(ctx, &pb.ResolveIncidentRequest{IncidentKey: key})
		return err
	})
}

func (a *app) setVariablesCommand() *cobra.Command {
	var text string
	var local bool
	cmd := a.keyCommand("set-variables", "Set variables of an instance or of an element in it", "KEY", "set variables of",
		func(ctx context.Context, c pb.GatewayClient, key int64) error {
			_, err := c.SetVariables(ctx, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: text, Local: local})
			return err
		})
	cmd.Flags().StringVar(&text, "variables", "", "a JSON object, or @FILE, or @- for standard input")
	cmd.Flags().BoolVar(&local, "local", false, "keep them in this scope, do not look for the variables further out")
	cmd.PreRunE = a.readsVariables(&text, true)
	return cmd
}

// readsVariables checks --variables before a command runs.
func (a *app) readsVariables(text *string, needed bool) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) (err error) {
		if needed && *text == "" {
			return fmt.Errorf("variables: are missing")
		}
		*text, err = a.variables(*text)
		return err
	}
}
