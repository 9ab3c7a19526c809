package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// created is an instance, with its variables if its end was waited for.
type created struct {
	Key           string          `json:"key"`
	ProcessID     string          `json:"processId"`
	Version       int32           `json:"version"`
	DefinitionKey string          `json:"definitionKey"`
	Partition     int             `json:"partition"`
	Variables     json.RawMessage `json:"variables,omitempty"`
}

type createFlags struct {
	addresses  []string
	version    int32
	variables  string
	withResult bool
	fetch      []string
	timeout    time.Duration
}

func (a *app) createCommand() *cobra.Command {
	var f createFlags
	cmd := &cobra.Command{
		Use: "create ID", Short: "Create an instance of a process", Args: arguments("ID"),
		Example: "  grevy create order --variables '{\"total\": 31}'\n  grevy create order --version 2 --with-result --fetch paid --timeout 1m",
		RunE: func(cmd *cobra.Command, args []string) error {
			vars, err := a.variables(f.variables)
			if err != nil {
				return err
			}
			if len(f.fetch) > 0 && !f.withResult {
				return errors.New("fetch: needs --with-result")
			}
			if f.timeout <= 0 {
				return fmt.Errorf("timeout: must be above 0, not %s", f.timeout)
			}
			req := &pb.CreateProcessInstanceRequest{BpmnProcessId: args[0], Version: f.version, Variables: vars}
			reply, err := f.call(cmd.Context(), req)
			if err != nil {
				return err
			}
			return a.printCreated(reply)
		},
	}
	addressFlag(cmd, &f.addresses)
	cmd.Flags().Int32Var(&f.version, "version", -1, "version of the process; -1: the latest")
	cmd.Flags().StringVar(&f.variables, "variables", "{}", variablesUsage)
	cmd.Flags().BoolVar(&f.withResult, "with-result", false, "wait until the instance ends, and print its variables")
	cmd.Flags().StringSliceVar(&f.fetch, "fetch", nil, "names of the variables to print, with --with-result; without: all")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 15*time.Second, "how long to wait for the answer")
	return cmd
}

func (f *createFlags) call(ctx context.Context, req *pb.CreateProcessInstanceRequest) (*created, error) {
	timeout := f.timeout
	if f.withResult {
		timeout += time.Second // the gateway says it first, and better
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if f.withResult {
		r, err := call(ctx, f.addresses, pb.NewGatewayClient, pb.GatewayClient.CreateProcessInstanceWithResult, &pb.CreateProcessInstanceWithResultRequest{
			Request: req, RequestTimeout: f.timeout.Milliseconds(), FetchVariables: f.fetch,
		})
		if err != nil {
			return nil, err
		}
		return newCreated(r, raw(r.GetVariables())), nil
	}
	r, err := call(ctx, f.addresses, pb.NewGatewayClient, pb.GatewayClient.CreateProcessInstance, req)
	if err != nil {
		return nil, err
	}
	return newCreated(r, nil), nil
}

// creation is what the two answers about an instance have in common.
type creation interface {
	GetProcessInstanceKey() int64
	GetBpmnProcessId() string
	GetVersion() int32
	GetProcessDefinitionKey() int64
}

func newCreated(r creation, vars json.RawMessage) *created {
	return &created{
		Key: strconv.FormatInt(r.GetProcessInstanceKey(), 10), ProcessID: r.GetBpmnProcessId(), Version: r.GetVersion(),
		DefinitionKey: strconv.FormatInt(r.GetProcessDefinitionKey(), 10), Partition: partitionOf(r.GetProcessInstanceKey()), Variables: vars,
	}
}

func (a *app) printCreated(c *created) error {
	if a.json() {
		return a.document(c)
	}
	verb := "created"
	if c.Variables != nil {
		verb = "completed"
	}
	fmt.Fprintf(a.out, "%s %s (%s v%d, partition %d)\n", verb, c.Key, c.ProcessID, c.Version, c.Partition)
	if c.Variables == nil {
		return nil
	}
	_, err := fmt.Fprintln(a.out, string(c.Variables))
	return err
}
