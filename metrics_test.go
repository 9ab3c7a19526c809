package grevy

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/protocol"
)

// docs/metrics.md lists what the registry has, with its labels and type.
func TestMetrics_TheDocumentListsThem(t *testing.T) {
	text, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	type metric struct{ kind, labels string }
	listed := map[string]metric{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(grevy_\\w+)` \\| (\\w+) \\| (.*?) \\| .+ \\|$").FindAllStringSubmatch(string(text), -1) {
		listed[row[1]] = metric{row[2], strings.ReplaceAll(row[3], "`", "")}
	}
	m := newMetrics(&Broker{Config: Config{Partitions: 1}})
	m.Entry(1, 1, 1, time.Second)
	m.Rejected(1, protocol.NotFound)
	m.ObserveCall("Topology", codes.OK, time.Second)

	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		for _, c := range m.own {
			c.Describe(descs)
		}
	}()
	known := map[string]bool{}
	for d := range descs {
		part := regexp.MustCompile(`fqName: "(\w+)".* variableLabels: \{([^}]*)\}`).FindStringSubmatch(d.String())
		if part == nil {
			t.Fatalf("can not read %s", d)
		}
		name, labels := part[1], strings.ReplaceAll(part[2], ",", ", ")
		known[name] = true
		if got, ok := listed[name]; !ok || got.labels != labels {
			t.Errorf("%s{%s} is in docs/metrics.md as %+v", name, labels, got)
		}
	}
	for name := range listed {
		if !known[name] {
			t.Errorf("docs/metrics.md lists %s, which there is not", name)
		}
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	typed := 0
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "grevy_") {
			continue
		}
		typed++
		if kind := strings.ToLower(f.GetType().String()); listed[f.GetName()].kind != kind {
			t.Errorf("%s is a %s, not a %s", f.GetName(), kind, listed[f.GetName()].kind)
		}
	}
	if typed < 7 {
		t.Errorf("only %d families", typed)
	}
}
