package main

import (
	"context"
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

type backupFlags struct {
	addresses []string
	keep      int
	noVerify  bool
	attempts  int
}

const destHelp = "DEST is a directory, or s3://BUCKET/PREFIX?region=REGION for a store that speaks\n" +
	"S3, with &endpoint=HOST:PORT for others than that of AWS, and &insecure for one\n" +
	"without TLS. Its key is that of the tools of AWS: in AWS_ACCESS_KEY_ID and\n" +
	"AWS_SECRET_ACCESS_KEY, the shared file, or by the role of the machine.\n"

func (a *app) backupCommand() *cobra.Command {
	var f backupFlags
	cmd := &cobra.Command{
		Use: "backup DEST", Short: "Take a backup of the running cluster", Args: arguments("DEST"),
		Long: "Take a backup of the running cluster: all partitions as of moments that go\n" +
			"together, which clients do not notice. It is verified by reading it back.\n\n" + destHelp,
		Example: "  grevy backup /var/backups/grevy --keep 14\n" +
			"  grevy backup 's3://backups/grevy?region=eu-central-1' -o json\n" +
			"  grevy backup 's3://backups/grevy?endpoint=minio.example.org:9000' --keep 14 --address node-0:26500,node-1:26500",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.attempts < 1 {
				return fmt.Errorf("attempts: must be at least 1, not %d", f.attempts)
			}
			if cmd.Flags().Changed("keep") && f.keep < 1 {
				return fmt.Errorf("keep: must be at least 1, not %d", f.keep)
			}
			return a.takeBackup(cmd.Context(), args[0], &f)
		},
	}
	addressFlag(cmd, &f.addresses)
	cmd.Flags().IntVar(&f.keep, "keep", 0, "then remove all but the newest so many, and what broken-off backups have left more than a day ago")
	cmd.Flags().BoolVar(&f.noVerify, "no-verify", false, "do not read back what was written")
	cmd.Flags().IntVar(&f.attempts, "attempts", 5, "how often to begin if a partition has no leader, or gets another one meanwhile")
	cmd.AddCommand(a.listBackupsCommand(), a.verifyBackupCommand(), a.removeBackupCommand())
	return cmd
}

// backedUp is what --output json prints of a backup that was taken.
type backedUp struct {
	backupView
	Seconds  float64  `json:"seconds"`
	Attempts int      `json:"attempts"`
	Verified bool     `json:"verified"`
	Removed  []string `json:"removed"`
}

func (a *app) takeBackup(ctx context.Context, dest string, f *backupFlags) error {
	store, err := backup.OpenStore(ctx, dest)
	if err != nil {
		return err
	}
	begun := time.Now()
	m, attempts, err := a.attemptBackup(ctx, store, f)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	if !f.noVerify {
		if err := a.verifyNew(ctx, store, m, dest); err != nil {
			return err
		}
	}
	done := backedUp{viewOfBackup(m), took.Seconds(), attempts, !f.noVerify, []string{}}
	if f.keep > 0 {
		removed, prune := backup.Prune(ctx, store, f.keep)
		done.Removed = append(done.Removed, removed...)
		if prune != nil {
			err = fmt.Errorf("the backup is taken, but old ones could not be removed: %w", prune)
		}
	}
	return errors.Join(a.printTaken(&done, took), err)
}

// attemptBackup begins again while partitions lack a leader, and if the node that
// was asked is gone.
func (a *app) attemptBackup(ctx context.Context, store backup.Store, f *backupFlags) (m *backup.Manifest, attempt int, err error) {
	g, err := dial(f.addresses)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	for attempt = 1; ; attempt++ {
		c, err := g.reachable(ctx)
		if err != nil && attempt == 1 {
			return nil, attempt, err
		}
		if err == nil {
			m, err = a.writeBackup(ctx, c, store)
		}
		if err != nil && ctx.Err() != nil {
			return nil, attempt, fmt.Errorf("interrupted; there is no backup of it (%v)", err)
		}
		if err == nil || !mayPass(err) || attempt == f.attempts {
			return m, attempt, err
		}
		fmt.Fprintf(a.err, "attempt %d of %d: %s; it is begun again\n", attempt, f.attempts, whyAgain(err))
		select {
		case <-time.After(time.Duration(attempt) * time.Second): // an election takes one to three
		case <-ctx.Done():
			return nil, attempt, errors.New("interrupted; there is no backup of it")
		}
	}
}

// mayPass tells whether a backup that failed may succeed soon: a partition had no
// leader, or nobody answers any more.
func mayPass(err error) bool {
	var call *callError
	var nobody *exit
	return errors.As(err, &call) && status.Code(call) == codes.Unavailable || errors.As(err, &nobody) && nobody.code == exitUnreachable
}

// whyAgain is what a node said, without what was said around it.
func whyAgain(err error) string {
	var call *callError
	if errors.As(err, &call) {
		return status.Convert(call.err).Message()
	}
	return err.Error()
}

func (a *app) writeBackup(ctx context.Context, c gatewayClient, store backup.Store) (*backup.Manifest, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the call, also if the store has failed
	stream, err := adminpb.NewClusterClient(c.conn).Backup(ctx, &adminpb.BackupRequest{})
	if err != nil {
		return nil, &callError{c.address, err}
	}
	m := newMeter(a, "backup")
	defer m.clear()
	return backup.Write(ctx, store, backup.NewID(time.Now()), func() (*adminpb.BackupPart, error) {
		part, err := stream.Recv()
		if err == io.EOF {
			return nil, err
		}
		if err != nil {
			return nil, &callError{c.address, err}
		}
		return part, m.seen(part)
	})
}

// verifyNew reads back what was just written. What is damaged is removed, so
// that nobody takes it for the newest.
func (a *app) verifyNew(ctx context.Context, store backup.Store, m *backup.Manifest, dest string) error {
	err := a.readBackup(ctx, store, m)
	if errors.Is(err, backup.ErrDamaged) {
		return errors.Join(fmt.Errorf("the store does not give back what was written to it, so there is no backup: %w", err), backup.Remove(ctx, store, m.ID))
	}
	if err != nil {
		return fmt.Errorf("the backup is taken, but could not be verified: %w (again: grevy backup verify '%s' %s)", err, dest, m.ID)
	}
	return nil
}

// readBackup reads all of a backup and compares it with its manifest.
func (a *app) readBackup(ctx context.Context, store backup.Store, m *backup.Manifest) error {
	meter := newMeter(a, "verify")
	defer meter.clear()
	return backup.Read(ctx, store, m, meter.seen)
}

func (a *app) printTaken(d *backedUp, took time.Duration) error {
	if a.json() {
		return a.document(d)
	}
	verified := "verified"
	if !d.Verified {
		verified = "not verified"
	}
	if _, err := fmt.Fprintf(a.out, "backup %s: %d partitions, %s, stored as %s, %s, %s\n", d.ID, d.Partitions, size(d.Bytes), size(d.StoredBytes), span(took), verified); err != nil {
		return err
	}
	for _, id := range d.Removed {
		if _, err := fmt.Fprintln(a.out, "removed", id); err != nil {
			return err
		}
	}
	return nil
}
