package dmn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/feel"
)

// BenchmarkTable looks for the last of a hundred rules.
func BenchmarkTable(b *testing.B) {
	var rules strings.Builder
	for i := range 100 {
		fmt.Fprintf(&rules, "\n%q | [%d..%d) | %d", "a", i, i+1, i)
	}
	m := parse(b, document(tableXML("F\nin s | x\nout r"+rules.String())))
	vars := feel.Vars{"s": []byte(`"a"`), "x": []byte(`99`)}
	b.ReportAllocs()
	for b.Loop() {
		if e, err := m.Evaluate("d", vars, nil); err != nil || e.Failure != nil || len(e.Evaluated[0].Rules) != 1 {
			b.Fatal("not evaluated")
		}
	}
}

// BenchmarkParse reads the same table.
func BenchmarkParse(b *testing.B) {
	src := document(tableXML("F\nin s | x\nout r" + strings.Repeat("\n\"a\" | [1..2) | 5", 100)))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		parse(b, src)
	}
}
