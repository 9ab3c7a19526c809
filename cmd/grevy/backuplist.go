package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy/backup"
)

// backupView is what --output json prints of a backup.
type backupView struct {
	ID                string     `json:"id"`
	Taken             *time.Time `json:"taken,omitempty"`
	Cluster           string     `json:"cluster,omitempty"`
	Version           string     `json:"version,omitempty"`
	Partitions        int32      `json:"partitions,omitempty"`
	MessagePartitions int32      `json:"messagePartitions,omitempty"`
	Bytes             int64      `json:"bytes,omitempty"`
	StoredBytes       int64      `json:"storedBytes,omitempty"`
	Problem           string     `json:"problem,omitempty"`
}

func viewOfBackup(m *backup.Manifest) backupView {
	streams, stored := m.Bytes()
	return backupView{
		ID: m.ID, Taken: &m.Taken, Cluster: m.Cluster, Version: m.Version, Partitions: m.Partitions, MessagePartitions: m.MessagePartitions,
		Bytes: streams, StoredBytes: stored,
	}
}

func (a *app) listBackupsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list DEST", Short: "List the backups that are there: oldest first", Args: arguments("DEST"),
		Example: "  grevy backup list /var/backups/grevy\n  grevy backup list 's3://backups/grevy?region=eu-central-1' -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := backup.OpenStore(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			list, err := backup.List(cmd.Context(), store)
			if err != nil {
				return err
			}
			return a.printBackups(store, list)
		},
	}
}

func (a *app) printBackups(store backup.Store, list []backup.Entry) error {
	views, broken := make([]backupView, 0, len(list)), 0
	for _, e := range list {
		if e.Err != nil {
			broken++
			views = append(views, backupView{ID: e.ID, Problem: e.Err.Error()})
			continue
		}
		views = append(views, viewOfBackup(e.Manifest))
	}
	if err := a.printBackupViews(store, views); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%d of them can not be restored", broken)
	}
	return nil
}

func (a *app) printBackupViews(store backup.Store, views []backupView) error {
	if a.json() {
		return a.document(views)
	}
	if len(views) == 0 {
		_, err := fmt.Fprintln(a.out, "no backups in", store)
		return err
	}
	t := newTable("backup", "taken", " partitions", " bytes", " stored", "cluster", "version")
	for _, v := range views {
		if v.Problem != "" {
			t.row(v.ID, oneLine(v.Problem, 120), "", "", "", "", "")
			continue
		}
		t.row(v.ID, clock(*v.Taken), v.Partitions, size(v.Bytes), size(v.StoredBytes), v.Cluster, v.Version)
	}
	return t.print(a.out)
}

// verifiedBackup is what --output json prints of a backup that is whole.
type verifiedBackup struct {
	backupView
	Seconds float64 `json:"seconds"`
}

func (a *app) verifyBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify DEST [ID]", Short: "Read a backup, or the newest, and compare it with its sums", Args: oneOrTwo("DEST"),
		Example: "  grevy backup verify /var/backups/grevy\n  grevy backup verify /var/backups/grevy 20261129T142509Z-1f2e3d4c",
		RunE: func(cmd *cobra.Command, args []string) error {
			store, m, err := findBackup(cmd.Context(), args)
			if err != nil {
				return err
			}
			begun := time.Now()
			if err := a.readBackup(cmd.Context(), store, m); err != nil {
				return err
			}
			v := verifiedBackup{viewOfBackup(m), time.Since(begun).Seconds()}
			if a.json() {
				return a.document(v)
			}
			_, err = fmt.Fprintf(a.out, "backup %s of %s is whole: %d partitions, %s, %s\n", m.ID, clock(m.Taken), m.Partitions, size(v.Bytes), span(time.Since(begun)))
			return err
		},
	}
}

func (a *app) removeBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove DEST ID", Short: "Remove a backup", Args: arguments("DEST", "ID"),
		Example: "  grevy backup remove /var/backups/grevy 20261129T142509Z-1f2e3d4c",
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := backup.OpenStore(cmd.Context(), args[0])
			if err == nil {
				err = backup.Remove(cmd.Context(), store, args[1])
			}
			if err != nil {
				return err
			}
			if a.json() {
				return a.document(map[string]string{"removed": args[1]})
			}
			_, err = fmt.Fprintln(a.out, "removed", args[1])
			return err
		},
	}
}

// oneOrTwo lets a command do without its second argument.
func oneOrTwo(first string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return arguments(first, "")(cmd, args)
		}
		return arguments(first)(cmd, args)
	}
}

// findBackup opens the store DEST and finds the backup ID in it, or the newest.
func findBackup(ctx context.Context, args []string) (store backup.Store, m *backup.Manifest, err error) {
	if store, err = backup.OpenStore(ctx, args[0]); err != nil {
		return nil, nil, err
	}
	if len(args) > 1 {
		m, err = backup.Load(ctx, store, args[1])
	} else {
		m, err = backup.Newest(ctx, store)
	}
	if errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrNotFound) {
		err = fmt.Errorf("%w (grevy backup list '%s' tells what is there)", err, args[0])
	}
	return store, m, err
}
