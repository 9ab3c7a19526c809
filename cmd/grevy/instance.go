package main

import (
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

// keyVerb is what a command about one key is called, and says.
type keyVerb struct {
	use, short string
	key        string // what the argument is called
	past       string // what was done to it
	example    string
}

// keyCommand is a command about one key; build makes its request once the flags
// are parsed.
func keyCommand[Request, Reply any](a *app, v keyVerb, do method[pb.GatewayClient, Request, Reply], build func(key int64) *Request) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use: v.use + " " + v.key, Short: v.short, Example: v.example, Args: arguments(v.key),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(v.key, args[0])
			if err != nil {
				return err
			}
			if _, err = call(cmd.Context(), addresses, pb.NewGatewayClient, do, build(key)); err != nil {
				return err
			}
			return a.printDone(v.past, key)
		},
	}
	addressFlag(cmd, &addresses)
	return cmd
}

func (a *app) cancelCommand() *cobra.Command {
	v := keyVerb{use: "cancel", short: "Cancel an instance", key: "KEY", past: "cancelled", example: "  grevy cancel 4503599627370500"}
	return keyCommand(a, v, pb.GatewayClient.CancelProcessInstance, func(key int64) *pb.CancelProcessInstanceRequest {
		return &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key}
	})
}

func (a *app) deleteCommand() *cobra.Command {
	v := keyVerb{
		use: "delete", short: "Delete a process, the decisions of a resource, or a form", key: "KEY", past: "deleted",
		example: "  grevy delete 2251799813685250   a key that grevy deploy has printed",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.DeleteResource, func(key int64) *pb.DeleteResourceRequest {
		return &pb.DeleteResourceRequest{ResourceKey: key}
	})
	cmd.Long = cmd.Short + ".\nKEY is that of the process definition, of the decision requirements or of the\nform."
	return cmd
}

func (a *app) resolveCommand() *cobra.Command {
	v := keyVerb{
		use: "resolve", short: "Resolve an incident: try again what it stopped", key: "INCIDENT-KEY", past: "resolved",
		example: "  grevy resolve 4503599627370510\n  grevy jobs retries 4503599627370505 --retries 1   first, if a job has none left",
	}
	return keyCommand(a, v, pb.GatewayClient.ResolveIncident, func(key int64) *pb.ResolveIncidentRequest {
		return &pb.ResolveIncidentRequest{IncidentKey: key}
	})
}

func (a *app) setCommand() *cobra.Command {
	var text string
	var local bool
	v := keyVerb{
		use: "set", short: "Set variables of an instance or of an element in it", key: "KEY", past: "set variables of",
		example: "  grevy set 4503599627370500 --variables '{\"total\": 31}'\n  grevy set 4503599627370504 --variables @vars.json --local",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.SetVariables, func(key int64) *pb.SetVariablesRequest {
		return &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: text, Local: local}
	})
	cmd.Flags().StringVar(&text, "variables", "", variablesUsage)
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
