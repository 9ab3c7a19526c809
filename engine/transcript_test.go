package engine_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
)

var rewrite = flag.Bool("rewrite", false, "write what the transcripts print now into their files")

// TestTranscripts plays every file of testdata.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			now, wrong, err := enginetest.Run(file)
			if err != nil {
				t.Fatal(err)
			}
			if *rewrite {
				if strings.Contains(string(now), "INVARIANT BROKEN") {
					t.Error("an invariant is broken: look for it in the file")
				}
				if err := os.WriteFile(file, now, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
}
