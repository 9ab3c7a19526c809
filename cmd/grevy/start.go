package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/grevy-io/grevy"
)

// startFlags are the settings of a node.
type startFlags struct {
	grevy.Config
	level, format, config string
}

func (s *startFlags) register(f *pflag.FlagSet) {
	f.IntVar(&s.NodeID, "node-id", 0, "number of this node, from 0 to cluster-size - 1; it stays with the data directory")
	f.IntVar(&s.ClusterSize, "cluster-size", 1, "nodes of the cluster when it begins")
	f.IntVar(&s.Partitions, "partitions", 3, "partitions of the cluster; fixed when it begins")
	f.IntVar(&s.ReplicationFactor, "replication-factor", 0, "nodes that keep each partition; fixed when the cluster begins; 0: cluster-size, at most 3")
	f.StringSliceVar(&s.Join, "join", nil, "gossip addresses HOST:PORT,… of nodes of the cluster (port 26503 + their offset)")
	f.StringVar(&s.DataDir, "data-dir", "grevy-data", "directory of everything the node keeps")
	f.StringVar(&s.Host, "host", "", "address to listen on, at which the others and clients reach this node; 127.0.0.1 for a node alone")
	f.IntVar(&s.PortOffset, "port-offset", 0, "added to the ports 26500 to 26503 and 9600")
	f.DurationVar(&s.StartTimeout, "start-timeout", 2*time.Minute, "how long to wait for the cluster to form and partitions to have leaders")
	f.DurationVar(&s.RequestTimeout, "request-timeout", 15*time.Second, "how long a client's call may take that says nothing itself")
	f.IntVar(&s.MaxMessageSize, "max-message-size", 4<<20, "largest request of a client, in bytes")
	f.StringVar(&s.level, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&s.format, "log-format", "text", "text or json; the log goes to standard error")
	f.StringVar(&s.config, "config", "", "YAML file with settings by the names of these flags")
	f.SortFlags = false
}

func (a *app) startCommand() *cobra.Command {
	var s startFlags
	cmd := &cobra.Command{
		Use: "start", Short: "Start a node", Args: arguments(),
		Long: "Start a node. Each flag may also be given in the environment (GREVY_NODE_ID for --node-id)\n" +
			"or in the YAML file of --config (node-id: 1). A flag goes before the environment, that before the file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settle(cmd.LocalFlags()); err != nil {
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
