package backup

import (
	"bytes"
	"testing"
)

// FuzzManifest: whatever stands in a manifest, it is refused or names files as they
// are written, and written anew it is read again.
func FuzzManifest(f *testing.F) {
	m := newManifest("20261129T142509Z-1f2e3d4c", newSample(1, 5).parts[0].GetHeader())
	m.Files = []File{{Partition: 1, Name: fileName(1), Bytes: 5, SHA256: sumOf(nil), StoredBytes: 9, StoredSHA256: sumOf(nil)}}
	whole, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(bytes.ReplaceAll(whole, []byte("partition-1.zst"), []byte("../partition-1")))
	f.Add(bytes.Replace(whole, []byte(`"partitions": 1`), []byte(`"partitions": -1`), 1))
	f.Add([]byte(`{"format":1,"sum":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeManifest(b)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if _, _, ok := split("20261129T142509Z-1f2e3d4c/" + file.Name); !ok || file.Bytes < 0 {
				t.Errorf("%+v", file)
			}
		}
		again, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeManifest(again); err != nil {
			t.Errorf("written anew: %v\n%s", err, again)
		}
	})
}
