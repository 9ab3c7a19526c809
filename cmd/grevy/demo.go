package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

// demo is three nodes in this process, and what is done with them.
type demo struct {
	a                      *app
	keep, verbose          bool
	deployments, instances int

	progress *progress
	dir      string
	offsets  []int
	nodes    []*grevy.Broker
	gateways *gateways
	result   demoResult
}

const (
	demoHost    = "127.0.0.1"
	demoNodes   = 3
	demoCallers = 32
	demoProcess = "demo"
)

func (a *app) demoCommand() *cobra.Command {
	d := &demo{a: a}
	cmd := &cobra.Command{
		Use: "demo", Short: "Show what it does: three nodes, a thousand deployments", Args: arguments(),
		Long: "Start three nodes with three partitions, each kept three times, in this process\n" +
			"and a temporary directory; deploy versions of a process one after another;\n" +
			"create instances until every partition had one of the last version; create more\n" +
			"instances and do their jobs; print what was measured.",
		Example: "  grevy demo\n  grevy demo --deployments 100",
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.BoolVar(&d.keep, "keep", false, "leave it running, for clients on port 26500, until a signal")
	f.IntVar(&d.deployments, "deployments", 1000, "how many versions are deployed")
	f.IntVar(&d.instances, "instances", 1000, "how many instances are created for the measurement")
	f.BoolVar(&d.verbose, "verbose", false, "show the log of the nodes")
	return cmd
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.deployments < 1 || d.instances < 1 {
		return errors.New("deployments and instances: must be at least 1")
	}
	d.progress = newProgress(d.a)
	if d.dir, err = os.MkdirTemp("", "grevy-demo-"); err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	for _, step := range []func(context.Context) error{
		d.start, d.deploy, d.awaitEverywhere, d.createOnAll, d.createMany, d.work, d.report, d.linger,
	} {
		if err := step(ctx); err != nil {
			d.progress.broken()
			return errors.Join(d.explain(ctx, err), d.stop())
		}
	}
	return d.stop()
}

// explain says what a failure of a step means.
func (d *demo) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case d.verbose:
		return err
	}
	return fmt.Errorf("%w (grevy demo --verbose shows the nodes' log)", err)
}

// linger leaves the cluster to others until a signal.
func (d *demo) linger(ctx context.Context) error {
	if !d.keep {
		return nil
	}
	d.progress.say("\nrunning; clients: %s, status: grevy status, end: Ctrl-C", address(demoHost, grevy.GatewayPort))
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.nodes[0].Failed():
		return err
	case err := <-d.nodes[1].Failed():
		return err
	case err := <-d.nodes[2].Failed():
		return err
	}
}

// demoDeadline bounds each wait: what takes longer has failed.
const demoDeadline = 30 * time.Second
