package raftwal_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	theirs "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	ours "github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

// store is what raft needs under it.
type store interface {
	raft.LogStore
	raft.StableStore
	Close() error
}

// kind is one of the two stores: on a real directory, and on a file system in memory.
type kind struct {
	name string
	open func(dir string, segment int) (store, error)
	mem  func(m *waltest.FS, segment int) (store, error)
}

const memDir = "/data/raft"

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

var kinds = []kind{
	{
		name: "ours",
		open: func(dir string, size int) (store, error) {
			return ours.Open(dir, ours.Options{SegmentSize: int64(size), Logger: quiet()})
		},
		mem: func(m *waltest.FS, size int) (store, error) {
			return ours.Open(memDir, ours.Options{SegmentSize: int64(size), FS: m, Logger: quiet()})
		},
	},
	{
		name: "raft-wal",
		open: func(dir string, size int) (store, error) {
			return theirs.Open(dir, theirs.WithSegmentSize(size), theirs.WithLogger(hclog.NewNullLogger()))
		},
		mem: func(m *waltest.FS, size int) (store, error) {
			return theirs.Open(memDir, theirs.WithSegmentSize(size), theirs.WithLogger(hclog.NewNullLogger()),
				theirs.WithSegmentFiler(segment.NewFiler(memDir, vfs{m})), theirs.WithMetaStore(memMeta{m}))
		},
	},
}

var ourKind, theirKind = kinds[0], kinds[1]

// vfs gives raft-wal the file system in memory, with the syncs that its own fs package does.
type vfs struct{ m *waltest.FS }

func (v vfs) ListDir(dir string) ([]string, error) { return v.m.List(dir) }

func (v vfs) Create(dir, name string, size uint64) (types.WritableFile, error) {
	f, err := v.m.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	if err := f.Preallocate(int64(size)); err != nil {
		return nil, err
	}
	return &vfsFile{File: f, m: v.m, dir: dir}, nil
}

func (v vfs) Delete(dir, name string) error {
	return errors.Join(v.m.Remove(filepath.Join(dir, name)), v.m.SyncDir(dir))
}

func (v vfs) OpenReader(dir, name string) (types.ReadableFile, error) {
	return v.m.Open(filepath.Join(dir, name))
}

func (v vfs) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := v.m.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	w := &vfsFile{File: f, m: v.m, dir: dir}
	w.synced.Store(true) // as theirs: only a file that was created syncs its directory
	return w, nil
}

type vfsFile struct {
	ours.File
	m      *waltest.FS
	dir    string
	synced atomic.Bool
}

func (f *vfsFile) Sync() error {
	if err := f.Datasync(); err != nil {
		return err
	}
	if f.synced.Swap(true) {
		return nil
	}
	return f.m.SyncDir(f.dir)
}

// memMeta stands for bbolt, as if that never failed but with the disk: each change is there or not.
type memMeta struct{ m *waltest.FS }

type metaContent struct {
	State  types.PersistentState
	Stable map[string][]byte
}

func (d memMeta) Load(string) (types.PersistentState, error) { return d.read().State, nil }

func (d memMeta) read() (c metaContent) {
	if b := d.m.Meta(); len(b) > 0 {
		if err := json.Unmarshal(b, &c); err != nil {
			panic(err)
		}
	}
	return c
}

func (d memMeta) write(c metaContent) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return d.m.SetMeta(b)
}

func (d memMeta) CommitState(s types.PersistentState) error {
	c := d.read()
	c.State = s
	return d.write(c)
}

func (d memMeta) GetStable(key []byte) ([]byte, error) { return d.read().Stable[string(key)], nil }

func (d memMeta) SetStable(key, value []byte) error {
	c := d.read()
	stable := maps.Clone(c.Stable)
	if stable == nil {
		stable = map[string][]byte{}
	}
	stable[string(key)] = value
	c.Stable = stable
	return d.write(c)
}

func (memMeta) Close() error { return nil }
