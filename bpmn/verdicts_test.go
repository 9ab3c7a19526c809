package bpmn_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/grevy-io/grevy/bpmn"
)

func verdicts(t testing.TB) (all []verdict) {
	t.Helper()
	files, err := filepath.Glob("testdata/verdicts/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find verdicts: %v, %d files", err, len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var list []verdict
		if err := yaml.Unmarshal(text, &list); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all = append(all, list...)
	}
	return all
}

// TestVerdicts compares what Parse says of a model with what the original
// said. Where the original accepts, a refusal may only name kinds of elements
// that are not supported yet.
func TestVerdicts(t *testing.T) {
	accepted, later, refused := 0, 0, 0
	for _, v := range verdicts(t) {
		t.Run(v.Name, func(t *testing.T) {
			want := expand(v.Block)
			resource := "case.bpmn"
			if strings.HasPrefix(want, "'") { // its name
				resource = want[1 : 1+strings.IndexByte(want[1:], '\'')]
			}
			model, err := bpmn.Parse(resource, []byte(v.xml()))
			var invalid *bpmn.Invalid
			if err != nil && !errors.As(err, &invalid) {
				t.Fatalf("error is a %T: %v", err, err)
			}
			switch {
			case want == "OK" && err == nil:
				accepted++
				checkModel(t, model)
			case want == "OK" && onlyUnsupported(err.Error()):
				later++
			case want == "OK":
				t.Errorf("refused, the original accepts:\n%v", err)
			case err == nil:
				t.Errorf("accepted, the original says:\n%s", want)
			default:
				refused++
				if got := err.Error(); !sameBlock(got, want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
	t.Logf("accepted %d, not supported yet %d, refused %d", accepted, later, refused)
	if accepted < 60 || refused < 150 {
		t.Errorf("accepted %d, refused %d: the cases have gone missing", accepted, refused)
	}
}

var findingLine = regexp.MustCompile(`(?m)^    - ERROR: (.*)$`)

func onlyUnsupported(block string) bool {
	l := findingLine.FindAllStringSubmatch(block, -1)
	for _, m := range l {
		if !strings.HasPrefix(m[1], "Elements of this kind are not supported yet: ") {
			return false
		}
	}
	return len(l) > 0
}

func sameBlock(got, want string) bool {
	got, want = sorted(got), sorted(want)
	if head, _, ok := strings.Cut(want, "<internal>"); ok {
		return strings.HasPrefix(got, head) && len(got) > len(head)
	}
	return got == want
}

// sorted orders the elements of a block.
func sorted(block string) string {
	parts := strings.Split(block, "- Element: ")
	sort.Strings(parts[1:])
	return strings.Join(parts, "- Element: ")
}

// checkModel checks what must hold in every model.
func checkModel(t testing.TB, m *bpmn.Model) {
	t.Helper()
	if len(m.Processes) == 0 || m.Size <= 0 {
		t.Errorf("%d processes, size %d", len(m.Processes), m.Size)
	}
	for _, p := range m.Processes {
		if p.Elements[0] != p.Root || p.Root.Type != bpmn.ProcessElement || p.Root.Scope != nil {
			t.Errorf("process %s: wrong root %+v", p.ID, p.Root)
		}
		for i, e := range p.Elements {
			if e.Index != i || p.Element(e.ID) != e || i > 0 && e.Scope.Index >= i {
				t.Errorf("element %s: index %d at %d, scope %v", e.ID, e.Index, i, e.Scope)
			}
			if e.Job != nil && (e.Job.Type == nil || e.Job.Retries == nil || len(e.Job.HeadersJSON) < 2) {
				t.Errorf("element %s: job %+v", e.ID, e.Job)
			}
		}
		for i, f := range p.Flows {
			if f.Index != i || f.Source == nil || f.Target == nil {
				t.Errorf("flow %s: %+v", f.ID, f)
			}
		}
	}
}
