package scenarios

import (
	"fmt"
	"strings"
)

// The notation of decisions: "table id in=a,b out=x hit=FIRST agg= requires=d
// var=n tag=" with lines "| in | in => out", and "expr id is='…'".

// drg writes decisions.
type drg struct {
	id          string
	open        *element // the decision that lines belong to
	out, rules  strings.Builder
	lastElement int
}

func dmn(id, text string) string {
	d := &drg{id: id}
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '|':
			d.rule(l[1:])
		default:
			d.flush()
			w := words(l)
			d.open = &element{kind: w[0], id: w[1], attributes: attributes(w[2:])}
		}
	}
	d.flush()
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="%s-drg" name="drg" namespace="http://example.org/scenarios">%s</definitions>`, id, d.out.String())
}

func (d *drg) next() int {
	d.lastElement++
	return d.lastElement
}

func (d *drg) rule(l string) {
	n := d.next()
	in, out, _ := strings.Cut(l, "=>")
	fmt.Fprintf(&d.rules, `<rule id="rule_%d">`, n)
	for i, c := range strings.Split(in, "|") {
		fmt.Fprintf(&d.rules, `<inputEntry id="e_%d_%d"><text>%s</text></inputEntry>`, n, i, escaped(strings.TrimSpace(c)))
	}
	for i, c := range strings.Split(out, "|") {
		fmt.Fprintf(&d.rules, `<outputEntry id="o_%d_%d"><text>%s</text></outputEntry>`, n, i, escaped(strings.TrimSpace(c)))
	}
	d.rules.WriteString(`</rule>`)
}

// flush writes the decision whose lines have come.
func (d *drg) flush() {
	e := d.open
	if e == nil {
		return
	}
	tag := ""
	if t := e.get("tag"); t != "" {
		tag = fmt.Sprintf(`<extensionElements><zeebe:versionTag value="%s"/></extensionElements>`, escaped(t))
	}
	fmt.Fprintf(&d.out, `<decision id="%s" name="%s">%s`, unique(d.id, e.id), e.id, tag)
	if v := e.get("var"); v != "" {
		fmt.Fprintf(&d.out, `<variable id="var_%d" name="%s"/>`, d.next(), v)
	}
	for _, r := range strings.FieldsFunc(e.get("requires"), func(c rune) bool { return c == ',' }) {
		fmt.Fprintf(&d.out, `<informationRequirement id="req_%d"><requiredDecision href="#%s"/></informationRequirement>`, d.next(), unique(d.id, r))
	}
	if e.kind == "expr" {
		fmt.Fprintf(&d.out, `<literalExpression id="lit_%d"><text>%s</text></literalExpression>`, d.next(), escaped(e.get("is")))
	} else {
		d.table(e)
	}
	d.out.WriteString(`</decision>`)
	d.rules.Reset()
	d.open = nil
}

func (d *drg) table(e *element) {
	n := d.next()
	hit := strings.ReplaceAll(e.get("hit"), "_", " ")
	if a := e.get("agg"); a != "" {
		hit += `" aggregation="` + a
	}
	fmt.Fprintf(&d.out, `<decisionTable id="tab_%d" hitPolicy="%s">`, n, hit)
	for i, in := range strings.Split(e.get("in"), ",") {
		fmt.Fprintf(&d.out, `<input id="in_%d_%d" label="%s"><inputExpression id="ie_%d_%d"><text>%s</text></inputExpression></input>`, n, i, escaped(in), n, i, escaped(in))
	}
	for i, out := range strings.Split(e.get("out"), ",") {
		fmt.Fprintf(&d.out, `<output id="out_%d_%d" name="%s"/>`, n, i, out)
	}
	d.out.WriteString(d.rules.String() + `</decisionTable>`)
}
