// Package badgerkv is the state.KV on disk: one Badger per node, shared by all
// its partitions. No other package imports Badger.
//
// Badger's own write-ahead log is not synced by each write: the raft log is the
// durable one, and a process that is killed loses nothing. What a loss of power
// may take is bounded by Sync, which the raft adapter calls before it lets the
// log be truncated (architecture §4 "After a loss of power").
package badgerkv

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sort"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/grevy-io/grevy/state"
)

// KV is a Badger store.
type KV struct {
	db  *badger.DB
	dir string
}

// memTableSize also sets the largest transaction, 15 % of it: 9.6 MB, above the
// largest entry (8 MB).
const memTableSize = 64 << 20

// Open opens or makes the store in dir. A store that another process has open
// is an error; one that is not what was written is a *DamagedError.
func Open(dir string, log *slog.Logger) (*KV, error) {
	if err := verifyStart(dir); err != nil {
		return nil, fmt.Errorf("open state store: %w", err)
	}
	opt := badger.DefaultOptions(dir).
		WithLogger(logger{log.With("room", "badger")}).
		WithMemTableSize(memTableSize).WithNumMemtables(3).
		WithBlockCacheSize(32 << 20).WithIndexCacheSize(16 << 20).
		WithNumCompactors(2).WithValueLogFileSize(64 << 20).
		WithDetectConflicts(false).WithMetricsEnabled(false).
		WithCompression(options.Snappy)
	db, err := badger.Open(opt)
	if err != nil {
		return nil, fmt.Errorf("open state store %s: %w", dir, err)
	}
	return &KV{db: db, dir: dir}, nil
}

// Update writes one transaction.
func (k *KV) Update(ops []state.Op) error {
	txn := k.db.NewTransaction(true)
	defer txn.Discard()
	for i := range ops {
		var err error
		if ops[i].Delete {
			err = txn.Delete(ops[i].Key)
		} else {
			err = txn.Set(ops[i].Key, ops[i].Value)
		}
		if errors.Is(err, badger.ErrTxnTooBig) {
			return state.ErrTooBig
		}
		if err != nil {
			return fmt.Errorf("write state: %w", err)
		}
	}
	if err := txn.Commit(); err != nil {
		return fmt.Errorf("commit state: %w", err)
	}
	return nil
}

// Snapshot opens a read transaction.
func (k *KV) Snapshot() state.Snapshot { return &snapshot{txn: k.db.NewTransaction(false)} }

// Sync syncs every memtable log of the store, oldest first, and the directory.
// Badger's own Sync covers only the active one.
func (k *KV) Sync() error {
	files, err := filepath.Glob(filepath.Join(k.dir, "*.mem"))
	if err != nil {
		return fmt.Errorf("sync state: %w", err)
	}
	sort.Strings(files) // %05d.mem: oldest first
	for _, f := range append(files, k.dir) {
		if err := syncFile(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("sync state: %w", err)
		}
	}
	return nil
}

// syncFile syncs one file by name. A memtable log that has been flushed to a
// table meanwhile is gone; tables are synced by Badger before that.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// deleteBatch is how many keys one transaction of DeletePrefix removes.
const deleteBatch = 2000

// DeletePrefix removes keys in small transactions. Badger's DropPrefix would
// block the writes of every partition meanwhile.
func (k *KV) DeletePrefix(prefix []byte) error {
	for {
		ops, err := k.firstKeys(prefix)
		if err != nil || len(ops) == 0 {
			return err
		}
		if err := k.Update(ops); err != nil {
			return err
		}
	}
}

func (k *KV) firstKeys(prefix []byte) ([]state.Op, error) {
	txn := k.db.NewTransaction(false)
	defer txn.Discard()
	opt := badger.DefaultIteratorOptions
	opt.PrefetchValues, opt.Prefix = false, prefix
	it := txn.NewIterator(opt)
	defer it.Close()
	var ops []state.Op
	for it.Seek(prefix); it.Valid() && len(ops) < deleteBatch; it.Next() {
		ops = append(ops, state.Op{Key: it.Item().KeyCopy(nil), Delete: true})
	}
	return ops, nil
}

// Close flushes and closes the store.
func (k *KV) Close() error {
	if err := k.db.Close(); err != nil {
		return fmt.Errorf("close state store: %w", err)
	}
	return nil
}

type snapshot struct{ txn *badger.Txn }

func (s *snapshot) Get(key []byte) ([]byte, error) {
	item, err := s.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	v, err := item.ValueCopy(nil)
	if v == nil {
		v = []byte{}
	}
	return v, err
}

func (s *snapshot) Iterate(prefix, from []byte) state.Iterator {
	if from == nil {
		from = prefix
	}
	opt := badger.DefaultIteratorOptions
	opt.Prefix, opt.PrefetchValues = prefix, false
	it := s.txn.NewIterator(opt)
	it.Seek(from)
	return &iterator{it: it}
}

func (s *snapshot) Close() { s.txn.Discard() }

type iterator struct{ it *badger.Iterator }

func (i *iterator) Valid() bool { return i.it.Valid() }
func (i *iterator) Key() []byte { return i.it.Item().Key() }

func (i *iterator) Value() ([]byte, error) {
	v, err := i.it.Item().ValueCopy(nil)
	if v == nil {
		v = []byte{}
	}
	return v, err
}

func (i *iterator) ValueSize() int { return int(i.it.Item().ValueSize()) }
func (i *iterator) Next()          { i.it.Next() }
func (i *iterator) Close()         { i.it.Close() }

// logger hands Badger's words on. What it calls information is of use only to
// whoever debugs the store.
type logger struct{ log *slog.Logger }

func (l logger) Errorf(f string, a ...any)   { l.log.Error(fmt.Sprintf(f, a...)) }
func (l logger) Warningf(f string, a ...any) { l.log.Warn(fmt.Sprintf(f, a...)) }
func (l logger) Infof(f string, a ...any)    { l.log.Debug(fmt.Sprintf(f, a...)) }
func (l logger) Debugf(f string, a ...any)   { l.log.Debug(fmt.Sprintf(f, a...)) }
