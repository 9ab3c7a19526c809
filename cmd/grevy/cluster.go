package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

func (a *app) clusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cluster", Short: "Change the cluster while it runs, and see how that goes",
		Long: "Change the cluster while it runs. One operation is under way at a time; it goes\n" +
			"on if nodes fail meanwhile. Each command returns when the operation has begun,\n" +
			"or with --wait when it has ended.",
		Example: "  grevy cluster status\n  grevy cluster add 3 --dry-run",
		Args:    subcommands, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.clusterStatusCommand(), a.addNodeCommand(), a.removeNodeCommand(), a.replaceNodeCommand(), a.moveCommand(),
		a.factorCommand(), a.rebalanceCommand(), a.addPartitionsCommand(), a.forceRemoveCommand(), a.cancelOperationCommand(),
	)
	return cmd
}

// change makes a command that begins an operation; build reads its arguments
// once the flags are parsed. example is its arguments as somebody might give them.
func (a *app) change(use, short, example string, args []string, build func(args []int32) *adminpb.ChangeRequest) *cobra.Command {
	var addresses []string
	var dry, wait bool
	cmd := &cobra.Command{
		Use: strings.Join(append([]string{use}, args...), " "), Short: short, Args: arguments(args...),
		Example: fmt.Sprintf("  grevy cluster %s %s\n  grevy cluster %[1]s %[2]s --dry-run", use, example),
		RunE: func(cmd *cobra.Command, given []string) error {
			numbers, err := parseNumbers(args, given)
			if err != nil {
				return err
			}
			r := build(numbers)
			r.DryRun = dry
			return a.beginChange(cmd.Context(), addresses, r, wait && !dry)
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only print the steps")
	cmd.Flags().BoolVar(&wait, "wait", false, "show each step, and return when the operation has ended")
	return cmd
}

func (a *app) addNodeCommand() *cobra.Command {
	return a.change("add", "Give a node started with --join its share of partitions", "3 --wait", []string{"NODE"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddNode{AddNode: &adminpb.AddNode{Node: n[0]}}}
	})
}

func (a *app) removeNodeCommand() *cobra.Command {
	return a.change("remove", "Move a node's partitions away, then let it leave", "0 --wait", []string{"NODE"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RemoveNode{RemoveNode: &adminpb.RemoveNode{Node: n[0]}}}
	})
}

func (a *app) replaceNodeCommand() *cobra.Command {
	var by int32
	cmd := a.change("replace", "Put another node in the place of one that may be dead", "2 --by 4", []string{"NODE"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_ReplaceNode{ReplaceNode: &adminpb.ReplaceNode{Node: n[0], By: by}}}
	})
	cmd.Flags().Int32Var(&by, "by", -1, "the node that takes its place")
	return needs(cmd, "by")
}

func (a *app) moveCommand() *cobra.Command {
	var from, to int32
	cmd := a.change("move", "Move a partition's replica from one node to another", "2 --from 1 --to 3", []string{"PARTITION"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_MoveReplica{MoveReplica: &adminpb.MoveReplica{Partition: n[0], From: from, To: to}}}
	})
	cmd.Flags().Int32Var(&from, "from", -1, "the node that keeps it")
	cmd.Flags().Int32Var(&to, "to", -1, "the node that is to keep it")
	return needs(cmd, "from", "to")
}

func (a *app) factorCommand() *cobra.Command {
	return a.change("replication-factor", "Say on how many nodes each partition is kept", "3", []string{"COUNT"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_SetReplicationFactor{SetReplicationFactor: &adminpb.SetReplicationFactor{Count: n[0]}}}
	})
}

func (a *app) rebalanceCommand() *cobra.Command {
	return a.change("rebalance", "Spread the leaders of the partitions over the nodes", "--wait", nil, func([]int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RebalanceLeaders{RebalanceLeaders: &adminpb.RebalanceLeaders{}}}
	})
}

func (a *app) addPartitionsCommand() *cobra.Command {
	return a.change("add-partitions", "Say how many partitions there are to be", "6", []string{"COUNT"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddPartitions{AddPartitions: &adminpb.AddPartitions{Count: n[0]}}}
	})
}

func (a *app) forceRemoveCommand() *cobra.Command {
	var accept bool
	cmd := a.change("force-remove", "Give up nodes that are lost, with what only they have", "1 2", []string{"NODE…"}, func(n []int32) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_ForceRemove{ForceRemove: &adminpb.ForceRemove{Nodes: n, AcceptLoss: accept}}}
	})
	cmd.Flags().BoolVar(&accept, "accept-loss", false, "do it; without it, what may be lost is told")
	return cmd
}

// needs checks that flags are given before the command does anything.
func needs(cmd *cobra.Command, flags ...string) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, f := range flags {
			if !cmd.Flags().Changed(f) {
				return fmt.Errorf("--%s is missing (see %s --help)", f, cmd.CommandPath())
			}
		}
		return run(cmd, args)
	}
	return cmd
}

func parseNumbers(names, given []string) (list []int32, err error) {
	for i, text := range given {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: must be a number, not %q", names[min(i, len(names)-1)], text)
		}
		list = append(list, int32(n))
	}
	return list, nil
}

// begun is what --output json prints of an operation.
type begun struct {
	Operation uint64   `json:"operation"` // 0: a dry run, or nothing to do
	Steps     []string `json:"steps"`
	Notes     []string `json:"notes"`
}

func (a *app) beginChange(ctx context.Context, addresses []string, r *adminpb.ChangeRequest, wait bool) error {
	resp, err := call(ctx, addresses, adminpb.NewClusterClient, adminpb.ClusterClient.Change, r)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.document(begun{resp.Id, append([]string{}, resp.Steps...), append([]string{}, resp.Notes...)})
	} else {
		_, err = fmt.Fprint(a.out, begunText(resp, wait))
	}
	if err != nil || !wait || resp.Id == 0 {
		return err
	}
	return a.watchOperation(ctx, addresses, resp.Id)
}

func begunText(r *adminpb.ChangeResponse, wait bool) string {
	var b strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintln(&b, n)
	}
	switch {
	case len(r.Steps) == 0 && len(r.Notes) == 0:
		fmt.Fprintln(&b, "nothing to do: the cluster is already so")
	case r.Id == 0 && len(r.Steps) > 0:
		fmt.Fprintf(&b, "%d steps, none of them begun:\n", len(r.Steps))
	case r.Id > 0:
		fmt.Fprintf(&b, "operation %d has begun, %d steps\n", r.Id, len(r.Steps))
	}
	if wait {
		return b.String()
	}
	for i, s := range r.Steps {
		fmt.Fprintf(&b, "%4d  %s\n", i+1, s)
	}
	if r.Id > 0 {
		fmt.Fprintln(&b, "how it goes: grevy cluster status")
	}
	return b.String()
}

// How long an operation is watched without an answer, and how long one node may
// take to give one.
const (
	watchPatience = time.Minute
	askPatience   = 5 * time.Second
)

// watchOperation prints each step as it is done. If a node does not answer
// meanwhile the next one is asked.
func (a *app) watchOperation(ctx context.Context, addresses []string, id uint64) (err error) {
	g, err := dial(addresses)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	printed, last := 0, time.Now()
	for c := g.next(); ; {
		o, err := operationAt(ctx, c, id)
		switch {
		case err == nil:
			last = time.Now()
			if printed, err = a.printSteps(o, printed); err != nil {
				return err
			}
			if o.Ended > 0 {
				return ended(o)
			}
		case ctx.Err() != nil:
			return stillGoesOn(id)
		case time.Since(last) > watchPatience || !passing(err):
			return err
		default:
			c = g.next()
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return stillGoesOn(id)
		}
	}
}

func stillGoesOn(id uint64) error {
	return fmt.Errorf("interrupted; operation %d goes on: grevy cluster status, or grevy cluster cancel", id)
}

// operationAt asks a node how an operation goes.
func operationAt(ctx context.Context, c gatewayClient, id uint64) (*adminpb.Operation, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	s, err := callAt(ctx, c, adminpb.NewClusterClient, adminpb.ClusterClient.Get, &adminpb.GetRequest{})
	if err != nil {
		return nil, err
	}
	for _, o := range []*adminpb.Operation{s.Operation, s.Last} {
		if o != nil && o.Id == id {
			return o, nil
		}
	}
	return nil, fmt.Errorf("operation %d is neither under way nor the last one any more: grevy cluster status", id)
}

// passing tells whether an error may be over soon.
func passing(err error) bool {
	c := status.Code(err)
	return c == codes.Unavailable || c == codes.DeadlineExceeded
}

// printSteps prints what was done after the first so many steps.
func (a *app) printSteps(o *adminpb.Operation, printed int) (int, error) {
	for ; printed < len(o.Steps) && o.Steps[printed].State == adminpb.StepState_STEP_STATE_DONE; printed++ {
		if err := a.printStep(printed, o.Steps[printed]); err != nil {
			return printed, err
		}
	}
	return printed, nil
}

func (a *app) printStep(i int, s *adminpb.Step) error {
	if a.json() {
		return a.document(stepView{s.Text, "done", s.Note})
	}
	_, err := fmt.Fprintf(a.out, "%4d  %s%s\n", i+1, s.Text, noteText(s.Note))
	return err
}

func noteText(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

func ended(o *adminpb.Operation) error {
	if o.Outcome == "done" {
		return nil
	}
	return fmt.Errorf("the operation has ended before all was done: %s", o.Outcome)
}

func (a *app) cancelOperationCommand() *cobra.Command {
	return stateCommand(a, "cancel", "End the operation under way; what it has done stays", "  grevy cluster cancel", adminpb.ClusterClient.Cancel)
}
