package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/backup"
)

func (a *app) restoreCommand() *cobra.Command {
	var addresses []string
	var noVerify bool
	cmd := &cobra.Command{
		Use: "restore DEST [ID]", Short: "Fill an empty cluster from a backup, the newest if none is named", Args: oneOrTwo("DEST"),
		Long: "Fill an empty cluster from a backup, the newest if none is named. The cluster\n" +
			"must have as many partitions; how many nodes it has and how often it keeps them\n" +
			"is its own affair. It takes no commands until all of it is there, compared by\n" +
			"digest. If that is broken off, begin it again.\n\n" + destHelp,
		Example: "  grevy restore /var/backups/grevy\n" +
			"  grevy restore 's3://backups/grevy?region=eu-central-1' 20261129T142509Z-1f2e3d4c --address node-0:26500",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			store, m, err := findBackup(cmd.Context(), args)
			if err != nil {
				return err
			}
			g, err := dial(addresses)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, g.Close()) }()
			c, err := g.reachable(cmd.Context())
			if err != nil {
				return err
			}
			return a.restore(cmd.Context(), c, store, m, !noVerify)
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().BoolVar(&noVerify, "no-verify", false, "do not read all of the backup before the first of it is sent")
	return cmd
}

// restored is what --output json prints of a restore.
type restored struct {
	backupView
	Seconds float64 `json:"seconds"`
}

func (a *app) restore(ctx context.Context, c gatewayClient, store backup.Store, m *backup.Manifest, verify bool) error {
	if err := fits(ctx, c, m); err != nil {
		return err
	}
	if verify {
		if err := a.readBackup(ctx, store, m); err != nil {
			return fmt.Errorf("nothing was sent: %w", err)
		}
	}
	begun := time.Now()
	ends, err := a.sendBackup(ctx, c, store, m)
	if err != nil {
		return err
	}
	if err := compareEnds(m, ends); err != nil {
		return err
	}
	v := restored{viewOfBackup(m), time.Since(begun).Seconds()}
	if a.json() {
		return a.document(v)
	}
	_, err = fmt.Fprintf(a.out, "restored %s of %s: %d partitions, %s, %s, with the digests of the backup\n", m.ID, clock(m.Taken), m.Partitions, size(v.Bytes), span(time.Since(begun)))
	return err
}

// fits compares the partitions of cluster and backup before anything is sent.
func fits(ctx context.Context, c gatewayClient, m *backup.Manifest) error {
	s, err := callAt(ctx, c, adminpb.NewClusterClient, adminpb.ClusterClient.Get, &adminpb.GetRequest{})
	if err != nil {
		return err
	}
	if n := len(s.GetPartitions()); n != int(m.Partitions) {
		return fmt.Errorf("backup %s has %d partitions, the cluster at %s has %d: start an empty one with grevy start --partitions %d", m.ID, m.Partitions, c.address, n, m.Partitions)
	}
	return nil
}

// sendBackup sends a backup and gives what the cluster says to have then.
func (a *app) sendBackup(ctx context.Context, c gatewayClient, store backup.Store, m *backup.Manifest) ([]*adminpb.BackupEnd, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the call, also if the store has failed
	stream, err := adminpb.NewClusterClient(c.conn).Restore(ctx)
	if err != nil {
		return nil, unfinished(err)
	}
	meter := newMeter(a, "restore")
	defer meter.clear()
	err = backup.Read(ctx, store, m, func(part *adminpb.BackupPart) error {
		if err := stream.Send(part); err != nil {
			return err
		}
		return meter.seen(part)
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unfinished(err)
	}
	// The call has ended early if Send said io.EOF; this says why.
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return nil, unfinished(err)
	}
	return reply.GetPartitions(), nil
}

// unfinished tells what a restore that was begun has come to. Unless it was refused
// nobody can call it not executed.
func unfinished(err error) error {
	s, ok := status.FromError(err)
	switch {
	case ok && s.Code() == codes.FailedPrecondition:
		return fmt.Errorf("%s: %s", codeName(s.Code()), s.Message())
	case ok:
		err = fmt.Errorf("%s: %s", codeName(s.Code()), s.Message())
	}
	return fmt.Errorf("%w (begin the restore again, with the same backup: until all of it is there, what was begun takes no commands)", err)
}

// compareEnds compares what the cluster has with what was backed up.
func compareEnds(m *backup.Manifest, ends []*adminpb.BackupEnd) error {
	has := map[int32]*adminpb.BackupEnd{}
	for _, e := range ends {
		has[e.GetPartition()] = e
	}
	var errs []error
	for _, f := range m.Files {
		e := has[f.Partition]
		if sum := hex.EncodeToString(e.GetSha256()); e.GetBytes() != f.Bytes || sum != f.SHA256 {
			errs = append(errs, fmt.Errorf("partition %d is not what was backed up: %d bytes with SHA-256 %s instead of %d with %s", f.Partition, e.GetBytes(), sum, f.Bytes, f.SHA256))
		}
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("do not use this cluster: begin again with empty data directories"))
	}
	return errors.Join(errs...)
}
