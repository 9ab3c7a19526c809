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
func (a *app) keyCommand(use, short, key, past, example string, do func(ctx context.Context, c pb.GatewayClient, key int64) error) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use: use + " " + key, Short: short, Example: example, Args: arguments(key),
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
	return a.keyCommand("cancel", "Cancel an instance", "KEY", "cancelled", "  grevy cancel 4503599627370500", func(ctx context.Context, c pb.GatewayClient, key int64) error {
		_, err := c.CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key})
		return err
	})
}

func (a *app) deleteCommand() *cobra.Command {
	example := "  grevy delete 2251799813685250   a key that grevy deploy has printed"
	cmd := a.keyCommand("delete", "Delete a process, the decisions of a resource, or a form", "KEY", "deleted", example, func(ctx context.Context, c pb.GatewayClient, key int64) error {
		_, err := c.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: key})
		return err
	})
	cmd.Long = cmd.Short + ".\nKEY is that of the process definition, of the decision requirements or of the form."
	return cmd
}

func (a *app) resolveCommand() *cobra.Command {
	example := "  grevy resolve 4503599627370510\n  grevy jobs retries 4503599627370505 --retries 1   first, if a job has none left"
	return a.keyCommand("resolve", "Resolve an incident: try again what it stopped", "INCIDENT-KEY", "resolved", example, func(ctx context.Context, c pb.GatewayClient, key int64) error {
		_, err := c.ResolveIncident(ctx, &pb.ResolveIncidentRequest{IncidentKey: key})
		return err
	})
}

func (a *app) setCommand() *cobra.Command {
	var text string
	var local bool
	cmd := a.keyCommand("set", "Set variables of an instance or of an element in it", "KEY", "set variables of",
		"  grevy set 4503599627370500 --variables '{\"total\": 31}'\n  grevy set 4503599627370504 --variables @vars.json --local",
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
