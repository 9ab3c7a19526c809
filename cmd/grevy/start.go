package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{Use: "grevy", SilenceUsage: true, SilenceErrors: true}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(startCommand(stderr))
	if err := root.Execute(); err != nil {
		fmt.Fprintln(stderr, "grevy:", err)
		return 1
	}
	return 0
}

func startCommand(stderr io.Writer) *cobra.Command {
	var c grevy.Config
	var join, level string
	cmd := &cobra.Command{Use: "start", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		var l slog.Level
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return err
		}
		c.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: l}))
		if join != "" {
			c.Join = strings.Split(join, ",")
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return serve(ctx, c)
	}}
	f := cmd.Flags()
	f.IntVar(&c.NodeID, "node-id", 0, "")
	f.IntVar(&c.ClusterSize, "cluster-size", 1, "")
	f.IntVar(&c.Partitions, "partitions", 3, "")
	f.IntVar(&c.ReplicationFactor, "replication-factor", 0, "")
	f.StringVar(&join, "join", "", "")
	f.StringVar(&c.DataDir, "data-dir", "grevy-data", "")
	f.StringVar(&c.Host, "host", "", "")
	f.IntVar(&c.PortOffset, "port-offset", 0, "")
	f.StringVar(&level, "log-level", "info", "")
	return cmd
}

func serve(ctx context.Context, c grevy.Config) error {
	b, err := grevy.Open(c)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return b.Close()
	case err := <-b.Failed():
		return fmt.Errorf("%w (closed: %v)", err, b.Close())
	}
}
