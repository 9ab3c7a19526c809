package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

func (a *app) startCommand() *cobra.Command {
	var s startFlags
	cmd := &cobra.Command{
		Use: "start", Short: "Start a node", Args: arguments(),
		Long: "Start a node. Each flag may also be given in the environment (GREVY_NODE_ID for\n" +
			"--node-id) or in the YAML file of --config (node-id: 1). A flag goes before the\n" +
			"environment, that before the file.",
		Example: "  grevy start\n  grevy start --config grevy.yaml --node-id 1 --join 10.0.0.1:26503,10.0.0.2:26503",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settle(cmd.LocalFlags()); err != nil {
				return err
			}
			if err := s.check(); err != nil {
				return err
			}
			log, err := newLogger(a.err, s.level, s.format)
			if err != nil {
				return err
			}
			s.Log = log
			s.Progress = func(what string) { log.Info(what) }
			return serve(cmd.Context(), s.Config)
		},
	}
	s.register(cmd.Flags())
	return cmd
}

// errStopped ends a start that a signal interrupted.
var errStopped = errors.New("stopped before the node was ready")

// serve runs a node until ctx ends.
func serve(ctx context.Context, c grevy.Config) error {
	begun := time.Now()
	b, err := grevy.OpenContext(ctx, c)
	if errors.Is(err, context.Canceled) {
		return errStopped
	}
	if err != nil {
		return err
	}
	c.Log.Info("ready", "node", b.NodeID, "gateway", address(b.Host, grevy.GatewayPort+b.PortOffset),
		"http", address(b.Host, grevy.HTTPPort+b.PortOffset), "took", time.Since(begun).Round(time.Millisecond))
	select {
	case <-ctx.Done():
		return stop(b, c.Log)
	case err := <-b.Failed():
		return errors.Join(err, b.Close())
	}
}

func stop(b *grevy.Broker, log *slog.Logger) error {
	begun := time.Now()
	log.Info("stopping")
	if err := b.Close(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	log.Info("stopped", "took", time.Since(begun).Round(time.Millisecond))
	return nil
}
