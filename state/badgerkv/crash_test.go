package badgerkv_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/badgerkv"
)

// journal writes updates that can be counted: each sets the counter and a few rows
// of its own.
type journal struct {
	t      *testing.T
	kv     *badgerkv.KV
	dir    string
	n      uint64
	synced uint64
	safe   map[string]int64 // by log: bytes that a sync has covered
}

func (j *journal) write() {
	j.t.Helper()
	j.n++
	ops := []state.Op{{Key: []byte("counter"), Value: binary.BigEndian.AppendUint64(nil, j.n)}}
	for i := range 3 {
		value := make([]byte, rand.IntN(20_000))
		ops = append(ops, state.Op{Key: fmt.Appendf(nil, "row/%08d/%d", j.n, i), Value: append(value, byte(i))})
	}
	if err := j.kv.Update(ops); err != nil {
		j.t.Fatal(err)
	}
}

func (j *journal) sync() {
	j.t.Helper()
	if err := j.kv.Sync(); err != nil {
		j.t.Fatal(err)
	}
	j.synced, j.safe = j.n, map[string]int64{}
	for _, f := range logsOf(j.t, j.dir) {
		j.safe[filepath.Base(f)] = used(j.t, f)
	}
}

func logsOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(files)
	return files
}

// used is how far a log is written: it is as long as it may become, and zero from
// there on.
func used(t *testing.T, name string) int64 {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return int64(n)
}

// clone copies a store that is in use, as the disk has it after the process died.
// Nobody writes meanwhile, but logs may be turned into tables: logs are copied
// first, then the list of tables, then the tables, so that nothing is missed.
func (j *journal) clone() string {
	j.t.Helper()
	to := j.t.TempDir()
	for _, pattern := range []string{"*.mem", "MANIFEST", "*"} {
		files, err := filepath.Glob(filepath.Join(j.dir, pattern))
		if err != nil {
			j.t.Fatal(err)
		}
		for _, f := range files {
			name := filepath.Base(f)
			if _, err := os.Stat(filepath.Join(to, name)); err == nil || name == "LOCK" || pattern == "*" && strings.HasSuffix(name, ".mem") {
				continue
			}
			b, err := os.ReadFile(f)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a log that has just become a table
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(to, name), b, 0o600)
			}
			if err != nil {
				j.t.Fatal(err)
			}
		}
	}
	return to
}

// tear takes what was not synced away from one log's end, from any byte on, in the
// middle of a write or not: zeros stand there, or something else.
func (j *journal) tear(dir, name string) string {
	j.t.Helper()
	path := filepath.Join(dir, name)
	end, safe := used(j.t, path), j.safe[name]
	if end <= safe {
		return "nothing to tear in " + name
	}
	from := safe + rand.Int64N(end-safe)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		j.t.Fatal(err)
	}
	rest := make([]byte, end-from)
	what := "zeros"
	if rand.IntN(3) == 0 {
		what = "a page of something else"
		for i := range min(len(rest), 4096) {
			rest[i] = byte(rand.IntN(256))
		}
	}
	if _, err := f.WriteAt(rest, from); err != nil {
		j.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		j.t.Fatal(err)
	}
	return fmt.Sprintf("%s has %s from %d of %d on, %d were synced", name, what, from, end, safe)
}

// check opens a clone: it has all updates up to some one that is not before the
// last sync, each of them whole, and nothing of later ones.
func (j *journal) check(dir, what string) {
	j.t.Helper()
	kv, err := badgerkv.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		j.t.Errorf("%s: %v", what, err)
		return
	}
	defer func() {
		if err := kv.Close(); err != nil {
			j.t.Errorf("%s: %v", what, err)
		}
	}()
	s := kv.Snapshot()
	defer s.Close()
	b, err := s.Get([]byte("counter"))
	if err != nil || len(b) != 8 {
		j.t.Errorf("%s: counter %x, %v", what, b, err)
		return
	}
	n := binary.BigEndian.Uint64(b)
	if n < j.synced || n > j.n {
		j.t.Errorf("%s: %d updates are there of %d, %d were synced", what, n, j.n, j.synced)
	}
	rows := uint64(0)
	it := s.Iterate([]byte("row/"), nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		value, err := it.Value()
		key := string(it.Key())
		if want := fmt.Sprintf("row/%08d/%d", rows/3+1, rows%3); err != nil || key != want || len(value) == 0 || value[len(value)-1] != byte(rows%3) {
			j.t.Errorf("%s: row %s with %d bytes, %v; wanted %s", what, key, len(value), err, want)
			return
		}
		rows++
	}
	if rows != 3*n {
		j.t.Errorf("%s: %d rows of %d updates", what, rows, n)
	}
}

// TestCrash clones a store that is being written, at many moments. A clone as it is
// has everything: the process was killed. One whose last log has lost a tail that
// was not synced has everything up to some moment: the machine lost its power.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kv, err := badgerkv.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{t: t, kv: kv, dir: dir, safe: map[string]int64{}}
	defer func() {
		if err := kv.Close(); err != nil {
			t.Error(err)
		}
	}()
	j.write()
	j.sync()
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		for range 1 + rand.IntN(400) {
			j.write()
			if rand.IntN(200) == 0 {
				j.sync()
			}
		}
		killed := j.clone()
		synced := j.synced
		j.synced = j.n
		j.check(killed, "killed")
		j.synced = synced
		torn := j.clone()
		logs := logsOf(t, torn)
		if len(logs) == 0 {
			t.Fatal("the store has no logs")
		}
		j.check(torn, j.tear(torn, filepath.Base(logs[len(logs)-1])))
	}
}
