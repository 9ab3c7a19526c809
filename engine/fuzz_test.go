package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzReadForm: bytes are refused in the original's words, or are a form with an
// id.
func FuzzReadForm(f *testing.F) {
	f.Add([]byte(`{"id": "f", "versionTag": "v1", "components": []} and more`))
	f.Add([]byte(`{"id": 12, "versionTag": true}`))
	f.Add([]byte(`[[[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := readForm("x.form", b)
		var bad *invalid
		if err != nil && !errors.As(err, &bad) || err == nil && form.id == "" {
			t.Errorf("%q gives %+v, %v", b, form, err)
		}
	})
}

// FuzzReadContent: a resource of any kind is refused or read, by the end of its
// name.
func FuzzReadContent(f *testing.F) {
	for _, kind := range []string{".bpmn", ".dmn", ".form", ".txt", ""} {
		f.Add("a"+kind, []byte("<definitions/>"))
		f.Add("a"+kind, []byte(`{"id": "f"}`))
	}
	for _, pattern := range []string{"../bpmn/testdata/*.bpmn", "../dmn/testdata/*.dmn"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range list[:min(3, len(list))] {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(filepath.Base(path), b)
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if c, err := readContent(name, b); err == nil && (c == nil || c.size < 0) {
			t.Errorf("%q: neither content nor an error: %+v", name, c)
		}
	})
}
