package recordlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/recordlog"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func open(t *testing.T, path string) *recordlog.File {
	t.Helper()
	f, err := recordlog.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, s recordlog.Sink, lines string) {
	t.Helper()
	if err := s.Write(1, []byte(lines)); err != nil {
		t.Fatal(err)
	}
}

func TestFile_AppendsAndCutsWhatACrashHasLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	for left, kept := range map[string]string{"": "", "a\nb\n": "a\nb\n", "a\nb": "a\n", "torn": "", "\n": "\n"} {
		if err := os.WriteFile(path, []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, path)
		write(t, f, "c\n")
		if got := read(t, path); got != kept+"c\n" {
			t.Errorf("after %q: %q", left, got)
		}
	}
}

func TestFile_IsMadeAnewWhenItIsMovedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	f := open(t, path)
	write(t, f, "a\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, f, "b\n")
	if a, b := read(t, path+".1"), read(t, path); a != "a\n" || b != "b\n" {
		t.Errorf("%q and %q", a, b)
	}
}

func TestFile_SaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	if _, err := recordlog.OpenFile(filepath.Join(dir, "none", "records")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	f := open(t, filepath.Join(dir, "records"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(1, []byte("a\n")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is gone: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, f, "b\n") // it is there again
}

func TestFunc_GetsRecordByRecord(t *testing.T) {
	var got []string
	s := recordlog.Both{recordlog.Func(func(p int, rec []byte) error {
		got = append(got, string(rec))
		if p != 3 {
			t.Errorf("partition %d", p)
		}
		return nil
	})}
	if err := errors.Join(s.Write(3, []byte("a\nb\n")), s.Sync()); err != nil || len(got) != 2 || got[1] != "b" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAppendEntry(t *testing.T) {
	b := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: protocol.EntryWrites})
	ops := func(now int64, list ...protocol.Record) {
		v := protocol.AppendInt(nil, now)
		for i := range list {
			v = protocol.AppendRecord(v, &list[i])
		}
		b = protocol.AppendOp(b, &protocol.Op{Kind: protocol.OpRecords, Value: v})
	}
	ops(5, protocol.Record{Type: protocol.RecordEvent, ValueType: "TIMER", Intent: "CANCELED", Key: 7, Value: []byte(`{}`)})
	b = protocol.AppendOp(b, &protocol.Op{Kind: protocol.OpDelete, Key: []byte("k")})
	ops(6, protocol.Record{Type: protocol.RecordCommand, ValueType: "JOB", Intent: "FAIL", Value: []byte(`{"a":1}`)},
		protocol.Record{Type: protocol.RecordRejection, ValueType: "JOB", Intent: "FAIL", Source: 1, RejectionType: "NOT_FOUND", Reason: `no "job"`, Value: []byte(`{}`)})
	lines, n, err := recordlog.Origin{Partition: 2, Version: "8.6.0"}.AppendEntry(nil, 3, b)
	const rest = `"authorizations":{"authorized_tenants":["<default>"]},`
	want := `{"partitionId":2,"value":{},"key":7,"position":786432,"timestamp":5,"recordVersion":1,"sourceRecordPosition":-1,"valueType":"TIMER","brokerVersion":"8.6.0",` + rest +
		`"intent":"CANCELED","rejectionType":"NULL_VAL","rejectionReason":"","recordType":"EVENT","operationReference":-1}
{"partitionId":2,"value":{"a":1},"key":-1,"position":786433,"timestamp":6,"recordVersion":1,"sourceRecordPosition":-1,"valueType":"JOB","brokerVersion":"8.6.0",` + rest +
		`"intent":"FAIL","rejectionType":"NULL_VAL","rejectionReason":"","recordType":"COMMAND","operationReference":-1}
{"partitionId":2,"value":{},"key":-1,"position":786434,"timestamp":6,"recordVersion":1,"sourceRecordPosition":786433,"valueType":"JOB","brokerVersion":"8.6.0",` + rest +
		`"intent":"FAIL","rejectionType":"NOT_FOUND","rejectionReason":"no \"job\"","recordType":"COMMAND_REJECTION","operationReference":-1}
`
	if err != nil || n != 3 || string(lines) != want {
		t.Errorf("%d, %v:\n%s\ninstead of\n%s", n, err, lines, want)
	}
	if _, _, err := (recordlog.Origin{}).AppendEntry(nil, 3, b[:len(b)-2]); !errors.Is(err, protocol.ErrCorrupt) {
		t.Errorf("a cut entry gives %v", err)
	}
}
