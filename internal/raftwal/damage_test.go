package raftwal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

const diskSegment = 4096

// filled makes a directory with several segments and a vote, closed, and the model of it.
func filled(t *testing.T, k kind) (string, *model) {
	t.Helper()
	dir, m := t.TempDir(), newModel()
	s, err := k.open(dir, diskSegment)
	if err != nil {
		t.Fatal(err)
	}
	for m.last < 200 {
		var logs []*raft.Log
		for i := range uint64(3) {
			logs = append(logs, &raft.Log{Index: m.last + 1 + i, Term: 7, Data: bytes.Repeat([]byte{byte(m.last + i + 1)}, 64)})
		}
		if err := s.StoreLogs(logs); err != nil {
			t.Fatal(err)
		}
		m.store(logs)
	}
	for _, key := range keyNames {
		if err := s.Set([]byte(key), []byte("candidate-of-the-vote")); err != nil {
			t.Fatal(err)
		}
		m.keys[key] = "candidate-of-the-vote"
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, m
}

// segments lists the files of the log, oldest first.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.seg", "*.wal"} {
		list, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

// TestFlippedBits changes one bit of a closed directory, at places all over a sealed segment and the newest one. An
// error, of Open or of reading, is right; anything else must be what was stored.
func TestFlippedBits(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			dir, m := filled(t, k)
			list := segments(t, dir)
			f := &faults{}
			for which, file := range map[string]string{"sealed": list[0], "newest": list[len(list)-1]} {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				end := len(bytes.TrimRight(data, "\x00"))
				for at := 0; at < end; at += 3 {
					f.cases++
					flip(t, k, f, m, dir, file, at, which)
				}
			}
			f.report(t, k, "sealed: another entry is read", "newest: acknowledged entries are gone", "newest: another entry is read")
		})
	}
}

func flip(t *testing.T, k kind, f *faults, m *model, dir, file string, at int, which string) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, filepath.Base(file))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 1 << (at % 8)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := k.open(to, diskSegment)
	if err != nil {
		return // found
	}
	defer s.Close()
	last, err := s.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	if last < m.last {
		f.note(which+": acknowledged entries are gone", "bit at %d: the log ends at %d, not at %d", at, last, m.last)
	}
	for i := m.first; i <= last; i++ {
		var got raft.Log
		if s.GetLog(i, &got) == nil && !equal(got, m.logs[i]) {
			f.note(which+": another entry is read", "bit at %d: entry %d is %s, not %s", at, i, brief(got), brief(m.logs[i]))
			return
		}
	}
}

// TestFlippedVote changes one bit of the file with the votes.
func TestFlippedVote(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			dir, _ := filled(t, k)
			file := filepath.Join(dir, map[string]string{"ours": "stable", "raft-wal": "wal-meta.db"}[k.name])
			f := &faults{}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for from := 0; ; f.cases++ {
				i := bytes.Index(data[from:], []byte("candidate-of-the-vote"))
				if i < 0 {
					break
				}
				from += i + 1
				changed := bytes.Clone(data)
				changed[from] ^= 1
				to := filepath.Join(t.TempDir(), "copy")
				if err := errors.Join(os.CopyFS(to, os.DirFS(dir)), os.WriteFile(filepath.Join(to, filepath.Base(file)), changed, 0o600)); err != nil {
					t.Fatal(err)
				}
				s, err := k.open(to, diskSegment)
				if err != nil {
					continue
				}
				for _, key := range keyNames {
					if v, err := s.Get([]byte(key)); err == nil && string(v) != "candidate-of-the-vote" {
						f.note("another vote is read", "bit at %d: %s is %q", from, key, v)
					}
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			f.report(t, k, "another vote is read")
		})
	}
}

// TestMissingFile takes one file away. Not the newest segment: neither store knows that it was there.
func TestMissingFile(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{}
			dir, m := filled(t, k)
			list := segments(t, dir)
			votes := map[string]string{"ours": "stable", "raft-wal": "wal-meta.db"}[k.name]
			for _, name := range []string{filepath.Base(list[0]), filepath.Base(list[1]), votes} {
				f.cases++
				to := filepath.Join(t.TempDir(), "copy")
				if err := errors.Join(os.CopyFS(to, os.DirFS(dir)), os.Remove(filepath.Join(to, name))); err != nil {
					t.Fatal(err)
				}
				s, err := k.open(to, diskSegment)
				if err != nil {
					continue
				}
				if err := m.diff(s); err != nil {
					f.note("opens without a file that it needs", "%s: %v; %d of %d segments are left", name, err, len(segments(t, to)), len(list))
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			f.report(t, k)
		})
	}
}

// TestSecondOpener: a directory in use is refused, at once.
func TestSecondOpener(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{cases: 1}
			dir := t.TempDir()
			first, err := k.open(dir, diskSegment)
			if err != nil {
				t.Fatal(err)
			}
			came := make(chan error, 1)
			go func() {
				s, err := k.open(dir, diskSegment)
				if err == nil {
					err = errors.Join(errors.New("it was let in"), s.Close())
				}
				came <- err
			}()
			select {
			case err := <-came:
				t.Log("refused:", err)
				came <- err
			case <-time.After(2 * time.Second):
				f.note("waits without an end", "2 s")
			}
			if err := first.Close(); err != nil {
				t.Error(err)
			}
			<-came
			f.report(t, k, "waits without an end")
		})
	}
}

// TestStopAtTheEndOfASegment stops in good order, on the real file system, right after an append that filled a
// segment, again and again.
func TestStopAtTheEndOfASegment(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{}
			dir, next := t.TempDir(), uint64(1)
			for range 300 {
				f.cases++
				s, err := k.open(dir, diskSegment)
				if err != nil {
					t.Fatal(err)
				}
				// Fills more than one segment, so the last entry is as likely as any other to be the one that seals.
				for range 17 {
					if err = s.StoreLog(&raft.Log{Index: next, Term: 1, Data: bytes.Repeat([]byte("x"), 400)}); err != nil {
						break
					}
					next++
				}
				if errClose := s.Close(); errClose != nil {
					t.Fatal(errClose)
				}
				if err != nil {
					f.note("takes no entries any more after a stop in good order", "entry %d: %v", next, err)
					break
				}
			}
			f.report(t, k, "takes no entries any more after a stop in good order")
		})
	}
}

// TestTruncateAndRestart cuts the tail, as a deposed leader does, and restarts: v0.4.0 lost the log here.
func TestTruncateAndRestart(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{}
			for cut := uint64(1); cut < 200; cut += 7 {
				f.cases++
				dir, m := filled(t, k)
				s, err := k.open(dir, diskSegment)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.DeleteRange(m.last-cut, m.last); err != nil {
					t.Fatal(err)
				}
				m.deleteRange(m.last-cut, m.last)
				for round := range 3 {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					if s, err = k.open(dir, diskSegment); err != nil {
						t.Fatal(err)
					}
					if err := m.diff(s); err != nil {
						f.note("wrong", "cut %d round %d: %v", cut, round, err)
					}
					l := &raft.Log{Index: m.last + 1, Term: 9, Data: fmt.Appendf(nil, "after %d", cut)}
					if err := s.StoreLog(l); err != nil {
						f.note("takes no entries", "cut %d round %d: %v", cut, round, err)
						break
					}
					m.store([]*raft.Log{l})
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			f.report(t, k)
		})
	}
}
