package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Entry is a backup that is there.
type Entry struct {
	ID       string
	Manifest *Manifest
	Err      error // why there is no Manifest: it is damaged
}

// List lists all backups, the oldest first.
func List(ctx context.Context, s Store) ([]Entry, error) {
	files, err := s.List(ctx, "")
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, f := range files {
		if f.File != manifestName {
			continue
		}
		m, err := Load(ctx, s, f.ID)
		switch {
		case errors.Is(err, ErrNotFound): // removed meanwhile
			continue
		case err != nil && !errors.Is(err, ErrDamaged):
			return nil, err
		}
		list = append(list, Entry{f.ID, m, err})
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Or(a.taken().Compare(b.taken()), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// taken is when a backup was taken, or if that can not be read, begun.
func (e *Entry) taken() time.Time {
	if e.Manifest != nil {
		return e.Manifest.Taken
	}
	begun, err := timeOf(e.ID)
	if err != nil { // not of an ID that List gives
		return time.Time{}
	}
	return begun
}

// Newest is the manifest of the last backup that was taken. That it is damaged
// is an error: an older one is another state of the cluster.
func Newest(ctx context.Context, s Store) (*Manifest, error) {
	list, err := List(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("in %s: %w", s, ErrNotFound)
	}
	last := list[len(list)-1]
	return last.Manifest, last.Err
}

// Remove removes a backup, also a damaged one.
func Remove(ctx context.Context, s Store, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if _, err := Load(ctx, s, id); err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	return removeFiles(ctx, s, id)
}

// removeFiles removes the manifest and then the files of a backup: what is left
// if that is broken off is no backup.
func removeFiles(ctx context.Context, s Store, id string) error {
	if err := s.Remove(ctx, id+"/"+manifestName); err != nil {
		return err
	}
	files, err := s.List(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := s.Remove(ctx, f.ID+"/"+f.File); err != nil {
			return err
		}
	}
	return nil
}

// leftover is how old the files of a backup without manifest are before they
// count as what a killed writer has left, and not as being written.
const leftover = 24 * time.Hour

// Prune removes all but the newest backups, and what writers that were killed
// have left more than a day ago. Damaged ones do not count, and stay.
func Prune(ctx context.Context, s Store, keep int) (removed []string, err error) {
	if keep < 1 {
		return nil, fmt.Errorf("%d backups to keep: at least one", keep)
	}
	list, err := List(ctx, s)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(e Entry) bool { return e.Manifest == nil })
	for _, e := range list[:max(0, len(list)-keep)] {
		if err := removeFiles(ctx, s, e.ID); err != nil {
			return removed, fmt.Errorf("remove backup %s: %w", e.ID, err)
		}
		removed = append(removed, e.ID)
	}
	return removed, sweep(ctx, s, time.Now().Add(-leftover))
}

// sweep removes what belongs to no backup and was left before a time.
func sweep(ctx context.Context, s Store, before time.Time) error {
	if _, err := s.Sweep(ctx, before); err != nil {
		return err
	}
	files, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	stays := map[string]bool{}
	for _, f := range files {
		begun, err := timeOf(f.ID)
		if err != nil {
			return err
		}
		stays[f.ID] = stays[f.ID] || f.File == manifestName || !f.Modified.Before(before) || !begun.Before(before)
	}
	for _, f := range files {
		if stays[f.ID] {
			continue
		}
		if err := s.Remove(ctx, f.ID+"/"+f.File); err != nil {
			return err
		}
	}
	return nil
}
