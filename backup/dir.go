package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// dirStore keeps backups in a directory: ID/FILE. A file is written under a
// name of its own, .FILE-RANDOM.tmp, synced and then renamed.
type dirStore struct {
	disk disk
	root string
}

func openDir(d disk, path string) (*dirStore, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &dirStore{d, root}, nil
}

// String implements Store.
func (s *dirStore) String() string { return s.root }

func (s *dirStore) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

// Put implements Store.
func (s *dirStore) Put(_ context.Context, name string, r io.Reader) error {
	if err := s.put(s.path(name), r); err != nil {
		return fmt.Errorf("write %s: %w", name, s.explain(err))
	}
	return nil
}

func (s *dirStore) put(name string, r io.Reader) error {
	dir := filepath.Dir(name)
	if err := s.makeDir(dir); err != nil {
		return err
	}
	var random [4]byte
	rand.Read(random[:]) // never fails
	tmp := filepath.Join(dir, "."+filepath.Base(name)+"-"+hex.EncodeToString(random[:])+tmpSuffix)
	if err := s.fill(tmp, r); err != nil {
		return errors.Join(err, s.gone(tmp))
	}
	err := s.disk.Rename(tmp, name)
	if err == nil {
		err = s.disk.SyncDir(dir)
	}
	if err != nil {
		return errors.Join(err, s.gone(tmp), s.gone(name))
	}
	return nil
}

const tmpSuffix = ".tmp"

// makeDir makes a backup's directory, and that of all backups if its parent is
// there: a mistyped path is not made.
func (s *dirStore) makeDir(dir string) error {
	made, err := s.disk.Mkdir(s.root)
	if err == nil && made {
		err = s.disk.SyncDir(filepath.Dir(s.root))
		if err != nil {
			err = errors.Join(err, s.gone(s.root))
		}
	}
	if err != nil {
		return err
	}
	if _, err := s.disk.Mkdir(dir); err != nil {
		return err
	}
	return s.disk.SyncDir(s.root)
}

// fill writes a new file and syncs it.
func (s *dirStore) fill(name string, r io.Reader) error {
	f, err := s.disk.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *dirStore) gone(name string) error {
	if err := s.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Open implements Store.
func (s *dirStore) Open(_ context.Context, name string) (io.ReadCloser, error) {
	f, err := s.disk.Open(s.path(name))
	if err != nil {
		return nil, s.explain(err)
	}
	return &dirReader{f, s}, nil
}

type dirReader struct {
	io.ReadCloser
	s *dirStore
}

func (r *dirReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.s.explain(err)
	}
	return n, err
}

// List implements Store.
func (s *dirStore) List(_ context.Context, id string) ([]Stored, error) {
	ids, err := s.ids(id)
	if err != nil {
		return nil, err
	}
	var list []Stored
	for _, id := range ids {
		infos, err := s.disk.List(s.path(id))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, s.explain(err)
		}
		for _, info := range infos {
			if _, file, ok := split(id + "/" + info.Name()); ok && info.Mode().IsRegular() {
				list = append(list, Stored{id, file, info.Size(), info.ModTime()})
			}
		}
	}
	return list, nil
}

// ids lists the directories of backups, or only the one that is asked for.
func (s *dirStore) ids(id string) (ids []string, err error) {
	if id != "" {
		return []string{id}, nil
	}
	infos, err := s.disk.List(s.root)
	if err != nil {
		return nil, s.explain(err)
	}
	for _, info := range infos {
		if info.IsDir() && checkID(info.Name()) == nil {
			ids = append(ids, info.Name())
		}
	}
	return ids, nil
}

// Remove implements Store.
func (s *dirStore) Remove(_ context.Context, name string) error {
	dir := filepath.Dir(s.path(name))
	err := s.gone(s.path(name))
	if err == nil {
		err = s.disk.SyncDir(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.removeEmpty(dir)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, s.explain(err))
	}
	return nil
}

// removeEmpty removes a backup's directory, if nothing is left in it.
func (s *dirStore) removeEmpty(dir string) error {
	err := s.gone(dir)
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.disk.SyncDir(s.root)
}

// Sweep implements Store.
func (s *dirStore) Sweep(_ context.Context, before time.Time) (n int, err error) {
	infos, err := s.disk.List(s.root)
	if err != nil {
		return 0, s.explain(err)
	}
	for _, info := range infos {
		if !info.IsDir() || checkID(info.Name()) != nil {
			continue
		}
		swept, err := s.sweep(s.path(info.Name()), info.ModTime().Before(before), before)
		n += swept
		if err != nil {
			return n, fmt.Errorf("clean up %s: %w", info.Name(), s.explain(err))
		}
	}
	return n, nil
}

// sweep removes what is old and half-written in a backup's directory, and the
// directory itself if nothing is left and it is old.
func (s *dirStore) sweep(dir string, old bool, before time.Time) (n int, err error) {
	infos, err := s.disk.List(dir)
	if err != nil {
		return 0, err
	}
	for _, info := range infos {
		half := strings.HasPrefix(info.Name(), ".") && strings.HasSuffix(info.Name(), tmpSuffix)
		if !half || !info.ModTime().Before(before) {
			continue
		}
		if err := s.gone(filepath.Join(dir, info.Name())); err != nil {
			return n, err
		}
		n++
	}
	if n == len(infos) && (old || n > 0) {
		return n, s.removeEmpty(dir)
	}
	return n, nil
}

// explain adds to an error of the system what helps.
func (s *dirStore) explain(err error) error {
	var sys syscall.Errno
	if !errors.As(err, &sys) {
		return err
	}
	hint := "look at the disk, or at the network file system, then try again"
	switch sys {
	case syscall.ENOSPC, syscall.EDQUOT:
		hint = "make room on the disk of " + s.root + ", or keep fewer backups with --keep"
	case syscall.EACCES, syscall.EPERM:
		hint = "the user that runs this must be allowed to read and write " + s.root
	case syscall.EROFS:
		hint = s.root + " is mounted read-only"
	case syscall.ENOENT:
		hint = "is " + s.root + " the right path, and is its disk mounted?"
	case syscall.EEXIST, syscall.ENOTDIR:
		hint = s.root + " and what is in it for backups must be directories"
	}
	return fmt.Errorf("%w (%s)", err, hint)
}
