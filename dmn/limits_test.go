package dmn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
)

// TestHostileModels: models made to exhaust the stack, the memory or the time
// end in a failure, quickly.
func TestHostileModels(t *testing.T) {
	failed := "Expected to evaluate decision 'd', but "
	self := `<context><contextEntry><variable name="f"/><functionDefinition><formalParameter name="g"/>` + literal("g(g)") +
		`</functionDefinition></contextEntry><contextEntry>` + literal("f(f)") + `</contextEntry></context>`
	for _, c := range []struct{ name, body, want string }{
		{"a function that calls itself", decision("d", self), failed + "functions call each other too deeply"},
		{"models that call each other", knowledgeChain(200, 40), failed + "functions call each other too deeply"},
		{"required twice on each level", diamonds(40, literal("1"), func(int) string { return literal("2") }), failed + "too many decisions are evaluated"},
		{"values that double", diamonds(12, literal("for i in 1..5000 return i"), func(i int) string {
			return `<list>` + literal(fmt.Sprintf("x%d", i)) + literal(fmt.Sprintf("x%d", i)) + `</list>`
		}), failed + "the values of the evaluation are too large"},
		{"one expression", one("d", "count(for i in 1..1000000, j in 1..1000000 return 1)"),
			failed + "failed to evaluate expression 'count(for i in 1..1000000, j in 1..1000000 return 1)': "},
	} {
		m := parse(t, document(c.body))
		e := evaluate(t, m, "d", `{}`)
		if e.Failure == nil || !strings.HasPrefix(e.Failure.Message, c.want) {
			t.Errorf("%s: got %.300s", c.name, outcome(e))
		}
		if len(e.Evaluated) > 10_100 {
			t.Errorf("%s: %d decisions told", c.name, len(e.Evaluated))
		}
	}
}

// knowledgeChain is models of which each calls the next inside of many
// parentheses.
func knowledgeChain(n, nested int) string {
	var b strings.Builder
	for i := range n {
		next := requires("Knowledge", fmt.Sprintf("#k%d", i+1))
		b.WriteString(function(fmt.Sprintf("k%d", i), "a", literal(strings.Repeat("(", nested)+fmt.Sprintf("k%d(a)", i+1)+strings.Repeat(")", nested)), next))
	}
	b.WriteString(function(fmt.Sprintf("k%d", n), "a", literal("a")))
	b.WriteString(decision("d", literal("k0(1)"), requires("Knowledge", "#k0")))
	return b.String()
}

// diamonds is decisions of which each requires the next twice; the last is the
// bottom.
func diamonds(n int, bottom string, logic func(i int) string) string {
	var b strings.Builder
	for i := range n {
		id := fmt.Sprintf("x%d", i)
		if i == 0 {
			id = "d"
		}
		next := fmt.Sprintf("#x%d", i+1)
		b.WriteString(decision(id, logic(i+1), requires("Decision", next), requires("Decision", next)))
	}
	b.WriteString(decision(fmt.Sprintf("x%d", n), bottom))
	return b.String()
}

// TestLongChain: many decisions that require each other are no problem to read,
// and are refused to be told when they are too many.
func TestLongChain(t *testing.T) {
	var b strings.Builder
	const n = 20_000
	for i := range n {
		b.WriteString(decision(fmt.Sprintf("d%d", i), literal("1"), requires("Decision", fmt.Sprintf("#d%d", i+1))))
	}
	b.WriteString(decision(fmt.Sprintf("d%d", n), literal("1")))
	m := parse(t, document(b.String()))
	if got := outcome(evaluate(t, m, fmt.Sprintf("d%d", n-9000), `{}`)); got != "1" {
		t.Errorf("got %s", got)
	}
	if got := outcome(evaluate(t, m, "d0", `{}`)); !strings.HasSuffix(got, "but too many decisions are evaluated") {
		t.Errorf("got %s", got)
	}
}

// TestHostileDocuments: reading costs no more than the bytes.
func TestHostileDocuments(t *testing.T) {
	for name, body := range map[string]string{
		"lists":       `<decision id="d" name="d">` + strings.Repeat("<list>", 100_000),
		"foreign":     strings.Repeat(`<x xmlns="y">`, 100_000),
		"elements":    strings.Repeat(`<inputData name="a"/>`, 260_000),
		"names":       manyNames(1000) + one("d", strings.Repeat("a ", 200_000)) + one("e", strings.Repeat("a ", 200_000)),
		"a long name": `<inputData name="` + strings.Repeat("a ", 200_000) + `"/>` + one("d", strings.Repeat("a ", 200_000)),
		"large":       `<inputData name="` + strings.Repeat("a", 8<<20) + `"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := dmn.Parse("r.dmn", document(body)); err == nil {
				t.Error("accepted")
			} else if len(err.Error()) > 13*1024 {
				t.Errorf("a refusal of %d bytes", len(err.Error()))
			}
		})
	}
}

// manyNames is input data with names that all begin alike.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<inputData name="a a%d"/>`, i)
	}
	return b.String()
}
