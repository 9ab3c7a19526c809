package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

func (a *app) statusCommand() *cobra.Command {
	var addresses []string
	var watch bool
	var every time.Duration
	cmd := &cobra.Command{
		Use: "status", Short: "Show the cluster, and what is wrong with it", Args: arguments(),
		Long: "Show nodes, partitions and deployments, and each problem with what to do next.\n" +
			"The exit code is 0 if the cluster is healthy, 1 if it is not, 2 if no node\n" +
			"answers.",
		Example: "  grevy status\n  grevy status --watch --every 5s\n  grevy status -o json --http 10.0.0.1:9600,10.0.0.2:9600",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return a.watch(cmd.Context(), every, func(ctx context.Context) (bool, error) { return a.showStatus(ctx, addresses) })
			}
			healthy, err := a.showStatus(cmd.Context(), addresses)
			return verdict(healthy, err)
		},
	}
	httpFlag(cmd, &addresses)
	watchFlags(cmd, &watch, &every)
	return cmd
}

func watchFlags(cmd *cobra.Command, watch *bool, every *time.Duration) {
	cmd.Flags().BoolVarP(watch, "watch", "w", false, "show it again and again, until a signal; the exit code is that of the last one")
	cmd.Flags().DurationVar(every, "every", time.Second, "how often --watch asks")
}

func verdict(healthy bool, err error) error {
	if err == nil && !healthy {
		return &exit{code: exitError}
	}
	return err
}

// showStatus asks once.
func (a *app) showStatus(ctx context.Context, addresses []string) (healthy bool, err error) {
	var s grevy.Status
	_, skipped, err := fetch(ctx, addresses, "/api/status", &s)
	if err != nil {
		return false, err
	}
	for _, n := range skipped {
		s.Healthy = false
		s.Problems = append(s.Problems, grevy.Problem{Text: fmt.Sprintf("%s does not answer: %s", n.address, n.reason), Next: "start that node, or leave it out of --http"})
	}
	if a.json() {
		return s.Healthy, a.document(s)
	}
	return s.Healthy, a.printStatus(&s)
}

// watch shows something until a signal. A cluster that does not answer is shown as
// such and asked again.
func (a *app) watch(ctx context.Context, every time.Duration, show func(context.Context) (bool, error)) error {
	if every <= 0 {
		return fmt.Errorf("every: must be above 0, not %s", every)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	for {
		if a.terminal && !a.json() {
			fmt.Fprint(a.out, "\x1b[H\x1b[2J")
		}
		healthy, err := show(ctx)
		if ctx.Err() != nil {
			return withoutText(last) // the signal broke this one off
		}
		if err != nil {
			a.complain(err)
		}
		last = verdict(healthy, err)
		select {
		case <-tick.C:
			if !a.terminal && !a.json() {
				fmt.Fprintln(a.out)
			}
		case <-ctx.Done():
			return withoutText(last)
		}
	}
}

// withoutText keeps the code of an error that was printed before.
func withoutText(err error) error {
	if err == nil {
		return nil
	}
	code := exitError
	if e, ok := err.(*exit); ok {
		code = e.code
	}
	return &exit{code: code}
}
