package saga_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what happened into the transcripts instead of comparing")

// TestTranscripts runs testdata/*.txt. A transcript is made of blocks divided by
// blank lines: commands (see script_test.go), then "----", then what they led
// to. Lines that begin with # are comments. After a change of behaviour run
// with -rewrite and read the difference.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("find transcripts: %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Errorf("%s: the first line must say what the transcript is about", file)
			}
			got := play(t, string(text))
			if got == string(text) {
				return
			}
			if !*rewrite {
				t.Fatalf("%s: differs (-rewrite accepts it)\n%s", file, firstDifference(string(text), got))
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// play runs a transcript and returns it with the outputs that came.
func play(t *testing.T, text string) string {
	t.Helper()
	s := newScript(t)
	var out strings.Builder
	for i, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			out.WriteString("\n")
		}
		ran := false
		for line := range strings.Lines(block + "\n") {
			if strings.TrimSpace(line) == "----" {
				break
			}
			out.WriteString(line)
			if cmd := strings.TrimSpace(line); cmd != "" && cmd[0] != '#' {
				s.run(cmd)
				ran = true
			}
		}
		if ran {
			out.WriteString("----\n" + s.takeOutput())
		}
	}
	return out.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		at := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "(end)"
		}
		if at(w) != at(g) {
			return strings.Join(g[:min(i, len(g))], "\n") + "\n*** want: " + at(w) + "\n*** got:  " + at(g)
		}
	}
	return ""
}
