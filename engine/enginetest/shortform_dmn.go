package enginetest

import (
	"fmt"
	"strings"
)

// Decisions in short form have one decision per line, and below a table its
// rules:
//
//	expr d is='1 + x' var=d
//	table t in=a,b out=x hit=FIRST agg=SUM requires=d tag=stable
//	| > 1 | "y" => 2
type decisionWriter struct {
	b      strings.Builder
	n      int
	closes string // what ends the decision that is open
}

// decisionModel writes the DMN of a text in short form; id is that of the
// requirements.
func decisionModel(id, text string) []byte {
	w := &decisionWriter{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "|"):
			w.rule(line[1:])
		default:
			w.decision(tokens(line))
		}
	}
	return []byte(fmt.Sprintf(`<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="%s" name="%s" namespace="test">%s%s</definitions>`,
		escaped(id), escaped(id), w.b.String(), w.closes))
}

func (w *decisionWriter) print(format string, args ...any) {
	w.n++
	fmt.Fprintf(&w.b, strings.ReplaceAll(format, "#", fmt.Sprint(w.n)), args...)
}

func (w *decisionWriter) decision(toks []string) {
	w.b.WriteString(w.closes)
	w.closes = `</decision>`
	attrs := map[string]string{}
	for _, t := range toks[2:] {
		name, value, _ := strings.Cut(t, "=")
		attrs[name] = escaped(value)
	}
	w.print(`<decision id="%s" name="%s">`, escaped(toks[1]), strings.ToUpper(escaped(toks[1])))
	if tag := attrs["tag"]; tag != "" {
		w.print(`<extensionElements><zeebe:versionTag value="%s"/></extensionElements>`, tag)
	}
	if name := attrs["var"]; name != "" {
		w.print(`<variable id="v#" name="%s"/>`, name)
	}
	for _, id := range strings.FieldsFunc(attrs["requires"], func(r rune) bool { return r == ',' }) {
		w.print(`<informationRequirement id="r#"><requiredDecision href="%s"/></informationRequirement>`, "#"+id)
	}
	if toks[0] == "expr" {
		w.print(`<literalExpression id="l#"><text>%s</text></literalExpression>`, attrs["is"])
		return
	}
	w.table(attrs)
}

func (w *decisionWriter) table(attrs map[string]string) {
	more := ""
	if hit := attrs["hit"]; hit != "" {
		more = fmt.Sprintf(` hitPolicy="%s"`, strings.ReplaceAll(hit, "_", " "))
	}
	if agg := attrs["agg"]; agg != "" {
		more += fmt.Sprintf(` aggregation="%s"`, agg)
	}
	w.print(`<decisionTable id="t#"%s>`, more)
	for _, in := range strings.Split(attrs["in"], ",") {
		w.print(`<input id="i#"><inputExpression id="x#"><text>%s</text></inputExpression></input>`, in)
	}
	for _, out := range strings.Split(attrs["out"], ",") {
		w.print(`<output id="o#" name="%s"/>`, out)
	}
	w.closes = `</decisionTable></decision>`
}

func (w *decisionWriter) rule(line string) {
	in, out, _ := strings.Cut(line, "=>")
	w.print(`<rule id="r#">`)
	for _, cell := range strings.Split(in, "|") {
		w.print(`<inputEntry id="e#"><text>%s</text></inputEntry>`, escaped(strings.TrimSpace(cell)))
	}
	for _, cell := range strings.Split(out, "|") {
		w.print(`<outputEntry id="o#"><text>%s</text></outputEntry>`, escaped(strings.TrimSpace(cell)))
	}
	w.b.WriteString(`</rule>`)
}
