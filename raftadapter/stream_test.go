package raftadapter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/snapshot.txt anew: only with a new magic")

// record is one record of a stream, taken apart.
type record struct {
	kind       byte
	key, value string
}

func (r record) String() string { return fmt.Sprintf("%d %x = %x", r.kind, r.key, r.value) }

// sample is a store with partition 7 in generation 3: two rows, its position, a
// resource of two chunks, and what must stay out of its stream.
func sample(t testing.TB) *fsm {
	t.Helper()
	kv := memkv.New()
	hash, other := protocol.Hash{0: 0xAA, 31: 0xBB}, protocol.Hash{0: 0xCC}
	prefix := state.Prefix(7, 3)
	own := func(table state.Table, rest, value string) state.Op {
		return state.Op{Key: append(append(bytes.Clone(prefix), byte(table)), rest...), Value: []byte(value)}
	}
	at := position{Index: 42, Guard: protocol.Guard{Term: 5, Incarnation: 0x0102030405060708, Seq: 9}}
	ops := []state.Op{
		own(state.TableMeta, "applied", string(at.encode())),
		own(state.TableElement, "k", "\x00v"),
		own(state.TableElement, "empty", ""),
		own(state.TableContentRef, string(hash[:]), string(state.BodyRef(6))),
		{Key: state.BodyKey(hash, 0), Value: []byte("four")},
		{Key: state.BodyKey(hash, 1), Value: []byte("xy")},
		{Key: state.BodyKey(other, 0), Value: []byte("of another partition")},
		{Key: append(state.Prefix(7, 2), 1), Value: []byte("an old generation")},
		{Key: append(state.Prefix(8, 3), 1), Value: []byte("another partition")},
		{Key: generationKey(7), Value: binary.BigEndian.AppendUint32(nil, 3)},
	}
	if err := kv.Update(ops); err != nil {
		t.Fatal(err)
	}
	return &fsm{partition: 7, kv: kv, prefix: prefix, at: at}
}

// read gives all bytes of a partition's stream, which must be as many as were
// announced.
func read(t testing.TB, f *fsm) []byte {
	t.Helper()
	s, err := openStream(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != s.size {
		t.Errorf("the stream has %d bytes, %d were announced", len(b), s.size)
	}
	return b
}

// apart parses a stream that comes in through r and tells whether it ended well.
func apart(r io.Reader) (list []record, ended bool, err error) {
	p := parser{row: func(kind byte, key, value []byte) error {
		list = append(list, record{kind, string(key), string(value)})
		return nil
	}}
	_, err = io.Copy(struct{ io.Writer }{&p}, r)
	return list, p.ended, err
}

// TestStream_GoldenBytes compares the stream of a known partition, byte for byte:
// docs/formats/snapshot.md as a test.
func TestStream_GoldenBytes(t *testing.T) {
	t.Parallel()
	const file = "testdata/snapshot.txt"
	got := read(t, sample(t))
	if *rewrite {
		if err := os.WriteFile(file, []byte(hex.Dump(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if hex.Dump(got) != string(want) {
		t.Errorf("a format that followers of other versions read has changed:\n%s", hex.Dump(got))
	}
}

func TestStream_HoldsBodiesThenRows(t *testing.T) {
	t.Parallel()
	b := read(t, sample(t))
	list, ended, err := apart(iotest.OneByteReader(bytes.NewReader(b)))
	if err != nil || !ended {
		t.Fatalf("ended %v, %v", ended, err)
	}
	hash := "aa" + strings.Repeat("00", 30) + "bb"
	want := []string{
		"2 " + hash + "00000000 = " + hex.EncodeToString([]byte("four")),
		"2 " + hash + "00000001 = " + hex.EncodeToString([]byte("xy")),
		"1 01" + hex.EncodeToString([]byte("applied")) + " = 000000000000002a000000000000000501020304050607080000000000000009",
		"1 15" + hash + " = 0000000000000006",
		"1 20" + hex.EncodeToString([]byte("empty")) + " = ",
		"1 20" + hex.EncodeToString([]byte("k")) + " = 0076",
	}
	for i := range max(len(list), len(want)) {
		if i >= len(list) || i >= len(want) || list[i].String() != want[i] {
			t.Errorf("record %d of %v, want %v", i, list, want)
			break
		}
	}
}

// TestStream_DamageIsSeen changes every byte and cuts at every place: no such
// stream may end well.
func TestStream_DamageIsSeen(t *testing.T) {
	t.Parallel()
	b := read(t, sample(t))
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x41
		if _, ended, err := apart(bytes.NewReader(bad)); ended && err == nil {
			t.Errorf("byte %d changed: not seen", i)
		} else if err != nil && !errors.Is(err, protocol.ErrCorrupt) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, ended, err := apart(bytes.NewReader(b[:i])); ended || err != nil {
			t.Errorf("cut at %d: ended %v, %v", i, ended, err)
		}
	}
	if _, _, err := apart(bytes.NewReader(append(bytes.Clone(b), b[len(streamMagic):]...))); !errors.Is(err, protocol.ErrCorrupt) {
		t.Errorf("records after the end: %v", err)
	}
}

// TestInstall_MakesAnEqualPartition takes a stream in where the partition has
// another state, and compares the streams.
func TestInstall_MakesAnEqualPartition(t *testing.T) {
	t.Parallel()
	from := sample(t)
	to := newReceiver(t)
	k := &sink{store: to, meta: snapshotMeta{Index: 40, Term: 5}}
	b := read(t, from)
	if _, err := io.Copy(struct{ io.Writer }{k}, iotest.HalfReader(bytes.NewReader(b))); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if err := to.fsm.Restore(io.NopCloser(nil)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, to.fsm); !bytes.Equal(got, b) {
		t.Errorf("installed:\n%swant:\n%s", hex.Dump(got), hex.Dump(b))
	}
	if got := to.fsm.position(); got != from.at {
		t.Errorf("position %+v, want %+v", got, from.at)
	}
}

// newReceiver is partition 7 on a node where it has an old row only.
func newReceiver(t *testing.T) *snapshots {
	t.Helper()
	kv := memkv.New()
	prefix := state.Prefix(7, 1)
	ops := []state.Op{
		{Key: generationKey(7), Value: binary.BigEndian.AppendUint32(nil, 1)},
		{Key: append(bytes.Clone(prefix), 0x20, 'x'), Value: []byte("\x00old")},
	}
	if err := kv.Update(ops); err != nil {
		t.Fatal(err)
	}
	n := &Node{Config: Config{KV: kv}, generations: 1}
	f := &fsm{partition: 7, kv: kv, prefix: prefix, applied: func(Applied) {}}
	return &snapshots{node: n, partition: 7, fsm: f, log: &boundedLog{exported: func() uint64 { return 0 }}}
}

// TestInstall_RefusesWhatIsNotWhole leaves the partition as it was.
func TestInstall_RefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	b := read(t, sample(t))
	for name, c := range map[string]struct {
		bytes []byte
		index uint64
	}{
		"cut off":                 {b[:len(b)-1], 40},
		"older than its metadata": {b, 43},
		"empty":                   {nil, 40},
	} {
		to := newReceiver(t)
		k := &sink{store: to, meta: snapshotMeta{Index: c.index, Term: 5}}
		if len(c.bytes) > 0 {
			if _, err := k.Write(c.bytes); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Close(); err == nil {
			t.Errorf("%s: installed", name)
		}
		prefix, _, err := readPosition(to.node.KV, 7)
		if err != nil || !bytes.Equal(prefix, state.Prefix(7, 1)) {
			t.Errorf("%s: the partition moved to %x, %v", name, prefix, err)
		}
		if left := keysBelow(to.node.KV, state.Prefix(7, 2)); left != 0 {
			t.Errorf("%s: %d rows of the new generation are left", name, left)
		}
	}
}

func keysBelow(kv state.KV, prefix []byte) (n int) {
	s := kv.Snapshot()
	defer s.Close()
	it := s.Iterate(prefix, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		n++
	}
	return n
}

// FuzzStream: no bytes make the parser panic, hang or take more memory than they
// have, and none but a whole stream ends well.
func FuzzStream(f *testing.F) {
	b := read(f, sample(f))
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(streamMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, ended, err := apart(bytes.NewReader(b))
		if !ended || err != nil {
			return
		}
		again := stream{}
		again.buf.WriteString(streamMagic)
		for _, r := range list {
			again.record(r.kind, []byte(r.key), []byte(r.value))
		}
		if !bytes.HasPrefix(b, again.buf.Bytes()) {
			t.Errorf("%x ended well, its records make %x", b, again.buf.Bytes())
		}
	})
}

// TestPosition_GoldenBytes: the row that says how far a partition is applied, and
// the keys of the node (docs/formats/node.md).
func TestPosition_GoldenBytes(t *testing.T) {
	t.Parallel()
	p := position{Index: 1, Guard: protocol.Guard{Term: 2, Incarnation: 3, Seq: 4}}
	const want = "0000000000000001000000000000000200000000000000030000000000000004"
	if got := hex.EncodeToString(p.encode()); got != want {
		t.Errorf("position %s, want %s", got, want)
	}
	if back, err := decodePosition(p.encode()); err != nil || back != p {
		t.Errorf("position %+v, %v", back, err)
	}
	if _, err := decodePosition(p.encode()[1:]); !errors.Is(err, protocol.ErrCorrupt) {
		t.Errorf("short position: %v", err)
	}
	for name, c := range map[string]struct {
		key  []byte
		want string
	}{
		"generation counter": {generationCount, "00000000000067"},
		"boot id":            {bootKey, "00000000000062"},
		"generation":         {generationKey(258), "000000000000470102"},
		"snapshot":           {snapshotKey(258), "000000000000530102"},
		"marker":             {markerKey(258), "0000000000004d0102"},
		"applied":            {appliedKey, "01" + hex.EncodeToString([]byte("applied"))},
	} {
		if got := hex.EncodeToString(c.key); got != c.want {
			t.Errorf("%s: key %s, want %s", name, got, c.want)
		}
	}
}
