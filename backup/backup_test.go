package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

func TestBackup_ThereAndBack(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		// The first is more than one part of an upload, and of a read.
		for seed, lengths := range [][]int{{3*partSize + 12345, 1, pieceSize}, {100_000}, {0, 5}} {
			sample := newSample(uint64(seed), lengths...)
			m := sample.write(t, s)
			loaded, err := Load(t.Context(), s, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := fmt.Sprintf("%+v", loaded), fmt.Sprintf("%+v", m); a != b {
				t.Errorf("%s, want %s", a, b)
			}
			sample.same(t, s, loaded)
			if list := ids(t, s); !slices.Equal(list, []string{m.ID}) {
				t.Errorf("listed are %v", list)
			}
			if err := Remove(t.Context(), s, m.ID); err != nil {
				t.Fatal(err)
			}
			empty(t, s)
			if _, err := Load(t.Context(), s, m.ID); !errors.Is(err, ErrNotFound) {
				t.Errorf("a removed one: %v", err)
			}
			if err := Remove(t.Context(), s, m.ID); !errors.Is(err, ErrNotFound) {
				t.Errorf("removing it again: %v", err)
			}
		}
	})
}

func TestBackup_IsSmallerThanItsStreams(t *testing.T) {
	s, err := OpenStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := newSample(1, 1<<20, 1<<20).write(t, s)
	streams, stored := m.Bytes()
	if streams != 2<<20 || stored > streams*2/3 {
		t.Errorf("%d bytes are stored as %d", streams, stored)
	}
}

func TestWrite_ASourceThatFailsLeavesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		sample := newSample(1, 150_000, 250_000)
		for at := range sample.parts {
			_, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(sample.parts, func(n int) error {
				if n == at {
					return errBroken
				}
				return nil
			}))
			if !errors.Is(err, errBroken) || strings.Contains(err.Error(), s.String()) {
				t.Errorf("part %d: %v", at, err)
			}
			_, err = Write(t.Context(), s, NewID(time.Now()), sourceOf(sample.parts[:at], nil))
			if err == nil || !strings.Contains(err.Error(), "the backup ends before its end") {
				t.Errorf("only %d parts: %v", at, err)
			}
		}
		empty(t, s)
	})
}

func TestWrite_CancelledLeavesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		sample := newSample(1, 2*partSize+5, 250_000)
		for at := range sample.parts {
			if at%200 > 2 && at < len(sample.parts)-6 {
				continue
			}
			ctx, cancel := context.WithCancel(t.Context())
			_, err := Write(ctx, s, NewID(time.Now()), sourceOf(sample.parts, func(n int) error {
				if n == at {
					cancel()
				}
				return nil
			}))
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("part %d: %v", at, err)
			}
		}
		empty(t, s)
	})
}

// What can not be a backup is refused, with the reason.
func TestWrite_RefusesWhatIsNone(t *testing.T) {
	s, err := OpenStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	header := func(n int32) *adminpb.BackupPart {
		return &adminpb.BackupPart{Part: &adminpb.BackupPart_Header{Header: &adminpb.BackupHeader{Partitions: n}}}
	}
	data := func(p int32, b string) *adminpb.BackupPart {
		return &adminpb.BackupPart{Part: &adminpb.BackupPart_Data{Data: &adminpb.BackupData{Partition: p, Data: []byte(b)}}}
	}
	end := func(p int32, n int, b string) *adminpb.BackupPart {
		sum, err := hexBytes(sumOf([]byte(b)))
		if err != nil {
			t.Fatal(err)
		}
		return &adminpb.BackupPart{Part: &adminpb.BackupPart_End{End: &adminpb.BackupEnd{Partition: p, Bytes: int64(n), Sha256: sum}}}
	}
	for _, c := range []struct {
		want  string
		parts []*adminpb.BackupPart
	}{
		{"begins with its header", []*adminpb.BackupPart{data(1, "a")}},
		{"0 partitions and 0 files", []*adminpb.BackupPart{header(0)}},
		{"where a partition is to begin", []*adminpb.BackupPart{header(1), header(1)}},
		{"where a partition is to begin", []*adminpb.BackupPart{header(1), data(-1, "a"), end(-1, 1, "a")}},
		{"partition 1 is not at its end", []*adminpb.BackupPart{header(2), data(1, "a"), data(2, "b"), end(1, 1, "a"), end(2, 1, "b")}},
		{"partition 1 is not at its end", []*adminpb.BackupPart{header(1), data(1, "a"), end(2, 1, "a")}},
		{"partition 1 is not at its end", []*adminpb.BackupPart{header(1), data(1, "a"), header(1)}},
		{"the network has damaged them", []*adminpb.BackupPart{header(1), data(1, "a"), end(1, 1, "b")}},
		{"the network has damaged them", []*adminpb.BackupPart{header(1), data(1, "a"), end(1, 2, "a")}},
		{"partition 1 is one too many of 2", []*adminpb.BackupPart{header(2), data(1, "a"), end(1, 1, "a"), data(1, "a"), end(1, 1, "a")}},
		{"partition 3 is one too many of 2", []*adminpb.BackupPart{header(2), data(1, "a"), end(1, 1, "a"), data(3, "a"), end(3, 1, "a")}},
		{"goes on behind its last partition", []*adminpb.BackupPart{header(1), data(1, "a"), end(1, 1, "a"), data(2, "a")}},
	} {
		if _, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(c.parts, nil)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	for _, id := range []string{"", "..", "../20261129T142509Z-1f2e3d4c", "20261129T142509Z", "20261129T142509Z-1f2e3d4c/x", "20269929T142509Z-1f2e3d4c"} {
		if _, err := Write(t.Context(), s, id, sourceOf(newSample(1, 5).parts, nil)); err == nil || !strings.Contains(err.Error(), "is no backup's name") {
			t.Errorf("%q: %v", id, err)
		}
	}
	empty(t, s)
}

func TestRead_TellsDamage(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		sample := newSample(3, 40_000, 30_000)
		for _, c := range []struct {
			name   string
			change func(b []byte) []byte
		}{
			{"truncated", func(b []byte) []byte { return b[:len(b)-1] }},
			{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }},
			{"empty", func([]byte) []byte { return nil }},
			{"longer", func(b []byte) []byte { return append(b, 'x') }},
			{"doubled", func(b []byte) []byte { return append(b, b...) }},
			{"flipped at the beginning", func(b []byte) []byte { b[0] ^= 1; return b }},
			{"flipped in the middle", func(b []byte) []byte { b[len(b)/2] ^= 128; return b }},
			{"flipped at the end", func(b []byte) []byte { b[len(b)-1] ^= 4; return b }},
			{"another partition's", func([]byte) []byte {
				b, err := readAll(t.Context(), s, ids(t, s)[0]+"/"+fileName(1))
				if err != nil {
					t.Fatal(err)
				}
				return b
			}},
		} {
			m := sample.write(t, s)
			replace(t, s, m.ID+"/"+fileName(2), c.change)
			damaged(t, s, m, 1)
			if err := Remove(t.Context(), s, m.ID); err != nil {
				t.Fatal(err)
			}
		}
		m := sample.write(t, s)
		if err := s.Remove(t.Context(), m.ID+"/"+fileName(1)); err != nil {
			t.Fatal(err)
		}
		damaged(t, s, m, 0)
	})
}

// damaged fails unless a backup is called damaged before more partitions than
// given have ended.
func damaged(t *testing.T, s Store, m *Manifest, ends int) {
	t.Helper()
	var r read
	err := Read(t.Context(), s, m, r.sink)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("backup %s, partition %d: ", m.ID, ends+1)) || len(r.ends) != ends {
		t.Errorf("%d ends, %v", len(r.ends), err)
	}
}

func TestRead_EveryFlippedByteIsFound(t *testing.T) {
	s, err := OpenStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := newSample(3, 300, 200).write(t, s)
	for _, file := range []string{fileName(1), fileName(2), manifestName} {
		whole, err := readAll(t.Context(), s, m.ID+"/"+file)
		if err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			replace(t, s, m.ID+"/"+file, func([]byte) []byte {
				b := bytes.Clone(whole)
				b[at] ^= 1 << (at % 8)
				return b
			})
			loaded, err := Load(t.Context(), s, m.ID)
			if err == nil {
				err = Read(t.Context(), s, loaded, ignore)
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d of %s: %v", at, file, err)
			}
		}
		replace(t, s, m.ID+"/"+file, func([]byte) []byte { return whole })
	}
	if list := ids(t, s); len(list) != 1 {
		t.Errorf("mended: %v", list)
	}
}

func TestRead_StopsWithItsSink(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		m := newSample(1, 700_000, 5).write(t, s)
		for at := range 6 { // header, data, data, end, data, end
			n := 0
			err := Read(t.Context(), s, m, func(*adminpb.BackupPart) error {
				if n++; n > at {
					return errBroken
				}
				return nil
			})
			if !errors.Is(err, errBroken) || errors.Is(err, ErrDamaged) || n != at+1 {
				t.Errorf("part %d of %d: %v", at, n, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := Read(ctx, s, m, func(*adminpb.BackupPart) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestPrune_KeepsTheNewest(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		var taken []string
		for seed := range 5 { // each is taken a millisecond after the one before
			taken = append(taken, newSample(uint64(seed), 1000).write(t, s).ID)
		}
		if list := ids(t, s); !slices.Equal(list, taken) {
			t.Fatalf("%v, want %v", list, taken)
		}
		if m, err := Newest(t.Context(), s); err != nil || m.ID != taken[4] {
			t.Errorf("newest: %v, %v", m, err)
		}
		// One that is damaged is neither counted nor removed.
		replace(t, s, taken[3]+"/"+manifestName, func(b []byte) []byte { return b[:10] })
		removed, err := Prune(t.Context(), s, 2)
		if err != nil || !slices.Equal(removed, taken[:2]) {
			t.Errorf("%v, %v, want %v", removed, err, taken[:2])
		}
		list, err := List(t.Context(), s)
		if err != nil || len(list) != 3 || list[0].ID != taken[2] || !errors.Is(list[1].Err, ErrDamaged) && !errors.Is(list[2].Err, ErrDamaged) {
			t.Errorf("%v, %v", list, err)
		}
		for _, keep := range []int{0, -1} {
			if _, err := Prune(t.Context(), s, keep); err == nil {
				t.Errorf("%d kept", keep)
			}
		}
		if err := Remove(t.Context(), s, taken[3]); err != nil {
			t.Error(err)
		}
	})
}

func TestNewest_OfNoneAndOfADamagedOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if _, err := Newest(t.Context(), s); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), s.String()) {
			t.Errorf("of none: %v", err)
		}
		newSample(1, 1000).write(t, s)
		m, err := Write(t.Context(), s, NewID(time.Now().AddDate(1, 0, 0)), sourceOf(newSample(2, 1000).parts, nil))
		if err != nil {
			t.Fatal(err)
		}
		replace(t, s, m.ID+"/"+manifestName, func(b []byte) []byte { return bytes.Replace(b, []byte("1.2.3"), []byte("1.2.4"), 1) })
		if _, err := Newest(t.Context(), s); !errors.Is(err, ErrDamaged) {
			t.Errorf("damaged: %v", err)
		}
	})
}

// What killed writers left goes, and nothing else: not what is being written,
// not what is younger than a day, and not what belongs to somebody else.
func TestPrune_ClearsWhatIsLeft(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		kept := newSample(1, 1000).write(t, s)
		old, young := NewID(time.Now().Add(-48*time.Hour)), NewID(time.Now())
		var names []string
		for _, id := range []string{old, young} {
			for p := range int32(2) {
				names = append(names, id+"/"+fileName(p+1))
			}
		}
		names = append(names, old+"/notes.txt", "notes/partition-1.zst")
		for _, name := range names {
			if err := s.Put(t.Context(), name, strings.NewReader("left")); err != nil {
				t.Fatal(err)
			}
		}
		files := func() (list []string) {
			t.Helper()
			all, err := s.List(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range all {
				if f.ID != kept.ID {
					list = append(list, f.ID+"/"+f.File)
				}
			}
			return list
		}
		// Nothing was written a day ago; then all is older than "before".
		if _, err := Prune(t.Context(), s, 1); err != nil || len(files()) != 4 {
			t.Errorf("%v, %v", files(), err)
		}
		if err := sweep(t.Context(), s, time.Now().Add(-time.Hour)); err != nil || len(files()) != 4 {
			t.Errorf("%v, %v", files(), err)
		}
		if d, ok := s.(*dirStore); ok {
			for _, name := range names {
				if err := os.Chtimes(d.path(name), time.Time{}, time.Now().Add(-25*time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Prune(t.Context(), s, 1); err != nil {
				t.Fatal(err)
			}
		} else if err := sweep(t.Context(), s, time.Now().Add(time.Hour)); err != nil { // both are left long ago
			t.Fatal(err)
		}
		for _, name := range []string{old + "/notes.txt", "notes/partition-1.zst"} {
			if b, err := readAll(t.Context(), s, name); err != nil || string(b) != "left" {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
		if d, ok := s.(*dirStore); ok && !slices.Equal(files(), names[2:4]) {
			t.Errorf("%v are left in %s", files(), d)
		} else if !ok && len(files()) > 0 {
			t.Errorf("%v are left", files())
		}
		if list := ids(t, s); !slices.Equal(list, []string{kept.ID}) {
			t.Errorf("kept are %v", list)
		}
	})
}

// Writers do not know of each other, and a prune does not disturb them.
func TestWrite_ManyAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		const writers = 4
		var wg sync.WaitGroup
		written := make([]*Manifest, writers)
		for i := range writers {
			wg.Go(func() {
				m, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(newSample(uint64(i), 600_000, 300_000).parts, func(n int) error {
					if n%4 != 0 {
						return nil
					}
					_, err := Prune(t.Context(), s, writers)
					return err
				}))
				if err != nil {
					t.Error(err)
				}
				written[i] = m
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if list := ids(t, s); len(list) != writers {
			t.Errorf("%v", list)
		}
		for i, m := range written {
			newSample(uint64(i), 600_000, 300_000).same(t, s, m)
		}
	})
}

func TestOpenStore_Addresses(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("AWS_ACCESS_KEY_ID", testKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", testSecret)
	t.Chdir(dir)
	for address, want := range map[string]string{
		"here":                                   filepath.Join(dir, "here"),
		dir + "/there/":                          dir + "/there",
		"file://" + dir + "/there":               dir + "/there",
		"s3://bucket":                            "s3://bucket",
		"s3://bucket/":                           "s3://bucket",
		"s3://bucket/a/b/?region=eu-central-1":   "s3://bucket/a/b",
		"s3://b.c/a?endpoint=h:1&insecure":       "s3://b.c/a",
		"s3://b.c/a?endpoint=http://h:1":         "s3://b.c/a",
		"s3://bucket?insecure=true&endpoint=h:9": "s3://bucket",
	} {
		if s, err := OpenStore(t.Context(), address); err != nil || s.String() != want {
			t.Errorf("%s: %v, %v, want %s", address, s, err, want)
		}
	}
	for address, want := range map[string]string{
		"":                           "is missing",
		"s3://":                      "the bucket is missing",
		"s3:///x":                    "the bucket is missing",
		"s3://key:secret@bucket":     "keys do not belong in an address",
		"s3://bucket?endpint=h":      "endpint=h: there are endpoint=HOST:PORT, region=REGION and insecure",
		"s3://bucket?insecure=false": "insecure=false: there are",
		"s3://bucket?endpoint=h:1/x": "endpoint",
		"s3://bucket?a=%zz":          "invalid URL escape",
		"gs://bucket":                "backups are kept in a directory or in s3://BUCKET/PREFIX",
		"file://host/dir":            "a directory is given as a path",
	} {
		if s, err := OpenStore(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: %v, %v, want %q", address, s, err, want)
		}
	}
}
