package badgerkv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// Badger keeps checksums of its tables and, by itself, does not look at them.
// Told to look, it passes over what is damaged as if it had never been written:
// a table at its start, the rest of a table in an iteration. So tables are checked
// here, before Badger opens them and again and again while it runs.

// DamagedError says that a file of the store is not what was written.
type DamagedError struct {
	File string
	Why  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("state store damaged: %s: %v", e.File, e.Why)
}
func (e *DamagedError) Unwrap() error { return e.Why }

func damaged(file string, format string, args ...any) error {
	return &DamagedError{file, fmt.Errorf(format, args...)}
}

// blockSize is Badger's default; what a table says itself counts.
const blockSize = 4 << 10

// pause is how long Verify rests after so many bytes, if it is not in a hurry.
const (
	pauseAfter = 4 << 20
	pause      = 250 * time.Millisecond
)

// verifyStart checks all tables of a store that is not open. One that is gone is
// damage.
func verifyStart(dir string) error {
	tables, err := tablesOf(dir)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := verifyTable(t); errors.Is(err, os.ErrNotExist) {
			return damaged(t, "it is gone")
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Verify checks the tables of the store while it is in use, slowly (16 MB/s at
// most). The error is a *DamagedError if one is not what was written. It returns
// early, with nil, when ctx ends.
func (k *KV) Verify(ctx context.Context) error {
	tables, err := tablesOf(k.dir)
	if err != nil {
		return err
	}
	for _, t := range tables {
		size, err := verifyTable(t)
		if err != nil {
			if err = k.stillCounts(t, err); err != nil {
				return err
			}
		}
		select {
		case <-time.After(pause * time.Duration(1+size/pauseAfter)):
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// stillCounts is the error of a table, or nil if the table is no part of the store
// any more: it was compacted away while it was read. Badger notes that in the
// manifest first, then cuts the file to nothing, then removes it.
func (k *KV) stillCounts(path string, err error) error {
	tables, listing := tablesOf(k.dir)
	switch {
	case listing != nil:
		return listing
	case slices.Contains(tables, path):
		return err
	}
	return nil
}

// tablesOf lists the files that belong to a store by its manifest. Others are
// what a crash left of a table that was not complete.
func tablesOf(dir string) (list []string, err error) {
	path := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, noManifest(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("verify state store: %w", err)
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return nil, damaged(path, "%w", err)
	}
	for id := range m.Tables {
		list = append(list, table.NewFilename(id, dir))
	}
	sort.Strings(list)
	return list, nil
}

// noManifest tells a store that begins from one that has lost what says which
// tables are its: Badger would delete them all.
func noManifest(dir, path string) error {
	if tables, err := filepath.Glob(filepath.Join(dir, "*.sst")); err != nil || len(tables) == 0 {
		return err
	}
	return damaged(path, "it is gone, and there are tables")
}

// verifyTable checks one table. It is read, not mapped: Badger cuts a table that it
// has compacted to nothing, and who touches a mapping of it then ends the process.
func verifyTable(path string) (size int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("verify: %w", err)
	}
	if err := verifyIndex(path, data); err != nil {
		return 0, err
	}
	return int64(len(data)), verifyBlocks(path, data)
}

// verifyBlocks reads every key of a table whose index is whole. A damaged block
// ends Badger's iterator without a word, and may make it panic: the number of keys
// tells.
func verifyBlocks(path string, data []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = damaged(path, "%v", r)
		}
	}()
	t, err := table.OpenInMemoryTable(data, 0, &table.Options{
		ReadOnly: true, ChkMode: options.OnBlockRead, BlockSize: blockSize, Compression: options.Snappy,
	})
	if err != nil {
		return damaged(path, "%w", err)
	}
	it := t.NewIterator(table.NOCACHE)
	defer it.Close()
	keys := uint32(0)
	for it.Rewind(); it.Valid(); it.Next() {
		keys++
	}
	if want := t.KeyCount(); keys != want {
		return damaged(path, "a block has another checksum than it was written with: %d of %d keys can be read", keys, want)
	}
	return nil
}

// verifyIndex checks the index at the end of a table by the numbers that follow
// it. Badger ends the process if these lead out of the file.
//
//	blocks … | index | its length (4) | checksum | its length (4)
func verifyIndex(path string, data []byte) error {
	end := int64(len(data))
	last := func(most int64) ([]byte, error) {
		part, at, err := lastPart(bytes.NewReader(data), end, most)
		end = at
		return part, err
	}
	sum, err := last(64)
	if err != nil {
		return badIndex(path, err)
	}
	var want pb.Checksum
	if err := proto.Unmarshal(sum, &want); err != nil {
		return damaged(path, "checksum of the index: %w", err)
	}
	index, err := last(end)
	if err != nil {
		return badIndex(path, err)
	}
	if want.Algo != pb.Checksum_CRC32C && want.Algo != pb.Checksum_XXHash64 {
		return damaged(path, "checksum of the index: unknown kind %d", want.Algo)
	}
	if err := y.VerifyChecksum(index, &want); err != nil {
		return damaged(path, "index: %w", err)
	}
	return nil
}

// errNoPlace says that a length leads out of a file.
var errNoPlace = errors.New("a length at the end of the file leads out of it")

func badIndex(path string, err error) error {
	if errors.Is(err, errNoPlace) {
		return damaged(path, "%w", err)
	}
	return fmt.Errorf("verify %s: %w", path, err)
}

// lastPart reads what stands before end: bytes, and their number.
func lastPart(f io.ReaderAt, end, most int64) (part []byte, at int64, err error) {
	var n [4]byte
	if end < 4 {
		return nil, 0, errNoPlace
	}
	if _, err := f.ReadAt(n[:], end-4); err != nil {
		return nil, 0, err
	}
	size := int64(binary.BigEndian.Uint32(n[:]))
	at = end - 4 - size
	if at < 0 || size > most {
		return nil, 0, errNoPlace
	}
	part = make([]byte, size)
	_, err = f.ReadAt(part, at)
	return part, at, err
}
