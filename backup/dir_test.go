package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faultDisk is a disk whose operation number failAt fails: once, or, with dies,
// together with all that come after it, as if the process had been killed.
type faultDisk struct {
	osDisk
	ops, failAt int
	dies        bool
	errno       syscall.Errno
	failed      string
}

func (d *faultDisk) step(what, name string) error {
	d.ops++
	if d.failAt > 0 && (d.ops == d.failAt || d.dies && d.ops > d.failAt) {
		if d.failed == "" {
			d.failed = fmt.Sprintf("operation %d, %s %s", d.ops, what, filepath.Base(name))
		}
		return &fs.PathError{Op: what, Path: name, Err: d.errno}
	}
	return nil
}

func (d *faultDisk) Mkdir(name string) (bool, error) {
	if err := d.step("mkdir", name); err != nil {
		return false, err
	}
	return d.osDisk.Mkdir(name)
}

func (d *faultDisk) Create(name string) (diskFile, error) {
	if err := d.step("create", name); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Create(name)
	return &faultFile{f, d, name}, err
}

type faultFile struct {
	diskFile
	disk *faultDisk
	name string
}

// Write writes half of what it is given when it fails.
func (f *faultFile) Write(b []byte) (int, error) {
	if err := f.disk.step("write", f.name); err != nil {
		n, writeErr := f.diskFile.Write(b[:len(b)/2])
		return n, errors.Join(err, writeErr)
	}
	return f.diskFile.Write(b)
}

func (f *faultFile) Sync() error { return errors.Join(f.disk.step("sync", f.name), f.diskFile.Sync()) }

func (f *faultFile) Close() error {
	return errors.Join(f.disk.step("close", f.name), f.diskFile.Close())
}

func (d *faultDisk) Open(name string) (io.ReadCloser, error) {
	if err := d.step("open", name); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Open(name)
	return &faultReader{f, d, name}, err
}

type faultReader struct {
	io.ReadCloser
	disk *faultDisk
	name string
}

func (f *faultReader) Read(b []byte) (int, error) {
	if err := f.disk.step("read", f.name); err != nil {
		return 0, err
	}
	return f.ReadCloser.Read(b)
}

func (d *faultDisk) List(name string) ([]fs.FileInfo, error) {
	if err := d.step("list", name); err != nil {
		return nil, err
	}
	return d.osDisk.List(name)
}

func (d *faultDisk) Rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	return d.osDisk.Rename(from, to)
}

func (d *faultDisk) Remove(name string) error {
	if err := d.step("remove", name); err != nil {
		return err
	}
	return d.osDisk.Remove(name)
}

func (d *faultDisk) SyncDir(name string) error {
	if err := d.step("sync directory", name); err != nil {
		return err
	}
	return d.osDisk.SyncDir(name)
}

// eachStep does something again and again: each time the next operation of the
// disk fails, until none is left. check sees what is there then, on a whole disk.
func eachStep(t *testing.T, dies bool, do func(s Store) error, check func(err error, d *faultDisk, s Store)) {
	t.Helper()
	for at := 1; ; at++ {
		root := filepath.Join(t.TempDir(), "backups")
		d := &faultDisk{failAt: at, dies: dies, errno: syscall.EIO}
		s, err := openDir(d, root)
		if err != nil {
			t.Fatal(err)
		}
		err = do(s)
		if d.failed == "" {
			if err != nil || at < 10 {
				t.Fatalf("nothing failed after %d steps: %v", at, err)
			}
			return
		}
		whole, openErr := OpenStore(t.Context(), root)
		if openErr != nil {
			t.Fatal(openErr)
		}
		check(err, d, whole)
		if t.Failed() {
			t.Fatalf("%s (dies: %v)", d.failed, dies)
		}
	}
}

// there is whether a directory is; before it there is nothing to be listed.
func there(t *testing.T, dir string) bool {
	t.Helper()
	_, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestDir_WriteFailsAtEveryStep(t *testing.T) {
	sample := newSample(1, 90_000, 20)
	write := func(s Store) error {
		_, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(sample.parts, nil))
		return err
	}
	eachStep(t, false, write, func(err error, _ *faultDisk, s Store) {
		if err == nil || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "look at the disk") {
			t.Errorf("%v", err)
		}
		if there(t, s.String()) {
			empty(t, s)
		}
	})
	// A process that is killed leaves a backup that is whole, or none; and what
	// it left does not hinder the next, nor stays for ever.
	whole := 0
	eachStep(t, true, write, func(err error, d *faultDisk, s Store) {
		if there(t, s.String()) {
			switch list := ids(t, s); {
			case len(list) == 1 && strings.Contains(d.failed, "sync directory"):
				whole++ // it was renamed
			case len(list) > 0:
				t.Errorf("%v is there: %v", list, err)
			}
		}
		sample.write(t, s)
		if err := sweep(t.Context(), s, time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		infos, err := osDisk{}.List(s.String())
		if err != nil || len(infos) > 2 || len(infos) != len(ids(t, s)) {
			t.Errorf("%v, %v", infos, err)
		}
	})
	if whole != 1 {
		t.Errorf("%d times a backup was there whose directory was not synced", whole)
	}
}

func TestDir_ReadFailsAtEveryStep(t *testing.T) {
	sample := newSample(1, 90_000, 20)
	eachStep(t, false, func(s Store) error {
		d := s.(*dirStore).disk.(*faultDisk)
		at := d.failAt
		d.failAt = 0
		m := sample.write(t, s)
		d.ops, d.failAt = 0, at
		var r read
		list, err := List(t.Context(), s)
		if err == nil && (len(list) != 1 || list[0].Err != nil) {
			t.Errorf("%v", list)
		}
		if err == nil {
			err = Read(t.Context(), s, m, r.sink)
		}
		if err != nil && len(r.ends) == 2 {
			t.Errorf("%v behind the last end", err)
		}
		return err
	}, func(err error, _ *faultDisk, s Store) {
		if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "look at the disk") {
			t.Errorf("%v", err)
		}
		if len(ids(t, s)) != 1 {
			t.Error("it is gone")
		}
	})
}

func TestDir_RemoveFailsAtEveryStep(t *testing.T) {
	for _, dies := range []bool{false, true} {
		eachStep(t, dies, func(s Store) error {
			d := s.(*dirStore).disk.(*faultDisk)
			at := d.failAt
			d.failAt = 0
			for seed := range 3 {
				newSample(uint64(seed), 1000, 20).write(t, s)
			}
			d.ops, d.failAt = 0, at
			removed, err := Prune(t.Context(), s, 1)
			if err == nil && len(removed) != 2 {
				t.Errorf("removed are %v", removed)
			}
			return err
		}, func(err error, _ *faultDisk, s Store) {
			if err == nil || !strings.Contains(err.Error(), "look at the disk") {
				t.Errorf("%v", err)
			}
			if n := len(ids(t, s)); n < 1 || n > 3 { // each of them whole
				t.Errorf("%d are left", n)
			}
			if _, err := Prune(t.Context(), s, 1); err != nil || len(ids(t, s)) != 1 {
				t.Errorf("again: %v", err)
			}
			if err := sweep(t.Context(), s, time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if infos, err := (osDisk{}).List(s.String()); err != nil || len(infos) != 1 {
				t.Errorf("%v, %v", infos, err)
			}
		})
	}
}

func TestDir_SaysWhatHelps(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "make room on the disk of",
		syscall.EDQUOT: "or keep fewer backups with --keep",
		syscall.EACCES: "the user that runs this must be allowed",
		syscall.EROFS:  "is mounted read-only",
		syscall.ESTALE: "look at the disk, or at the network file system",
	} {
		d := &faultDisk{failAt: 7, errno: errno}
		s, err := openDir(d, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		_, err = Write(t.Context(), s, NewID(time.Now()), sourceOf(newSample(1, 1000).parts, nil))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.root) || !errors.Is(err, errno) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "no", "such"): "is the right path", file: "must be directories", filepath.Join(file, "x"): "must be directories"} {
		s, err := OpenStore(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		want = strings.Replace(want, "is the", "is "+path+" the", 1)
		if _, err = Write(t.Context(), s, NewID(time.Now()), sourceOf(newSample(1, 1000).parts, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("write to %s: %v", path, err)
		}
		if _, err := List(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("list %s: %v", path, err)
		}
	}
	if there(t, filepath.Join(dir, "no")) {
		t.Error("a mistyped path was made")
	}
}

// Nobody but its owner reads a backup: it has all data in it.
func TestDir_IsPrivate(t *testing.T) {
	s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "backups"))
	if err != nil {
		t.Fatal(err)
	}
	newSample(1, 1000).write(t, s)
	n := 0
	err = filepath.WalkDir(s.String(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		n++
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %s", path, info.Mode())
		}
		return err
	})
	if err != nil || n != 4 {
		t.Errorf("%d, %v", n, err)
	}
}
