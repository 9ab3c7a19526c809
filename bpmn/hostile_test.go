package bpmn_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/bpmn"
)

// TestHostile gives Parse documents made to cost more than their size: what
// they allocate must stay in proportion, and the answer must be short.
func TestHostile(t *testing.T) {
	const n = 20_000
	many := func(format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	long := strings.Repeat("x", 1_000_000)
	for _, c := range []struct {
		name, xml string
		ok        bool
	}{
		{"many elements", wrap(many("<task id='t#'/>")), true},
		{"many flows", wrap(many("<task id='t#'/><sequenceFlow id='f#' sourceRef='s' targetRef='t#'/>")), true},
		{"more elements than kept", wrap(strings.Repeat(many("<documentation/>"), 14)), false},
		{"too many elements", wrap("<task id='t'>" + strings.Repeat(many("<documentation/>"), 14) + "</task>"), false},
		{"many extensions of others", wrap("<task id='t'><extensionElements>" + many("<a xmlns='urn:#'/>") + "</extensionElements></task>"), true},
		{"many attributes", wrap("<task id='t' " + many("a#='' ") + "/>"), false},
		{"many namespaces", wrap("<task id='t' " + many("xmlns:a#='u#' ") + "/>"), false},
		{"many comments in text", wrap("<task id='t'><documentation>" + many("a<!-- -->") + "</documentation></task>"), true},
		{"many findings", wrap(many("<serviceTask id='t#'/>")), false},
		{"many unsupported", wrap(many("<parallelGateway id='g#'/><userTask id='i#'><extensionElements><zeebe:userTask/></extensionElements></userTask>")), false},
		{"long name", wrap("<task id='t' name='" + long + "'/>"), true},
		{"long wrong name", wrap("<task id='" + long + "&#0;'/>"), false},
		{"long element", "<" + long + "/>", false},
		{"long attribute", "<a " + long + "/>", false},
		{"long prefix", "<" + long + ":a/>", false},
		{"long version", "<?xml version='" + long + "'?><a/>", false},
		{"long condition", wrap("<exclusiveGateway id='g'/><sequenceFlow id='f' sourceRef='g' targetRef='s'><conditionExpression>" + long + "</conditionExpression></sequenceFlow>"), false},
		{"shared targets", wrap(many("<eventBasedGateway id='g#'/>") + "<intermediateCatchEvent id='c'/>" + many("<sequenceFlow id='f#' sourceRef='g#' targetRef='c'/><sequenceFlow id='h#' sourceRef='g#' targetRef='c'/>")), false},
		{"ring of gateways", wrap(many("<parallelGateway id='g#'/>") + ring("g", n)), true},
		{"ring of tasks", wrap(many("<task id='g#'/>") + ring("g", n)), false},
		{"billion laughs", "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>", false},
		{"outside entity", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", false},
		{"nothing but open tags", strings.Repeat("<a>", n), false},
		{"zeros", strings.Repeat("\x00", n), false},
		{"half a UTF-16", "\xFE\xFF" + strings.Repeat("\xD8", 2*n), false},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := bpmn.Parse("r.bpmn", []byte(c.xml))
		runtime.ReadMemStats(&after)
		if (err == nil) != c.ok {
			t.Errorf("%s: %.300v", c.name, err)
		}
		if err != nil && len(err.Error()) > 20_000 {
			t.Errorf("%s: refusal of %d bytes", c.name, len(err.Error()))
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20+100*uint64(len(c.xml)) {
			t.Errorf("%s: %d bytes allocated for %d", c.name, used, len(c.xml))
		}
	}
}

// ring joins n elements to a circle.
func ring(id string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<sequenceFlow id='r%d' sourceRef='%s%d' targetRef='%s%d'/>", i, id, i, id, (i+1)%n)
	}
	return b.String()
}
