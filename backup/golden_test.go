package backup

import (
	"bytes"
	"os"
	"testing"
)

// A backup that was written once is read for ever: its bytes are the format
// (docs/formats/backup.md). How they are compressed may change.
func TestGolden_ABackupThatWasKept(t *testing.T) {
	const id = "20261129T142509Z-1f2e3d4c"
	sample := newSample(7, 2000, 30)
	if os.Getenv("GREVY_UPDATE") != "" {
		s, err := OpenStore(t.Context(), "testdata")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Write(t.Context(), s, id, sourceOf(sample.parts, nil)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenStore(t.Context(), "testdata")
	if err != nil {
		t.Fatal(err)
	}
	if list := ids(t, s); len(list) != 1 || list[0] != id {
		t.Fatalf("%v", list)
	}
	m, err := Load(t.Context(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	sample.same(t, s, m)
	was, err := readAll(t.Context(), s, id+"/"+manifestName)
	if err != nil {
		t.Fatal(err)
	}
	if is, err := m.encode(); err != nil || !bytes.Equal(is, was) {
		t.Errorf("%v, the manifest is written as\n%s\nand was\n%s", err, is, was)
	}
}
