package recorded

import (
	"fmt"
	"strings"
)

// Escaped is a text as XML has it, in attributes too.
func Escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\t", "&#9;", "\r", "&#13;").Replace(s)
}

// Attribute is one of an element, nothing if it is empty.
func Attribute(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(` %s="%s"`, name, Escaped(value))
}

var policies = map[string]string{"U": "UNIQUE", "A": "ANY", "P": "PRIORITY", "F": "FIRST", "R": "RULE ORDER", "O": "OUTPUT ORDER", "C": "COLLECT"}
var aggregations = map[string]string{"+": "SUM", "<": "MIN", ">": "MAX", "#": "COUNT"}

// Table makes a decision table: the hit policy, "in EXPR :: TYPE | …", "out NAME
// :: TYPE = VALUES | …", then a line of cells for each rule.
func Table(id, text string) string {
	lines := strings.Split(text, "\n")
	var b strings.Builder
	fmt.Fprintf(&b, `<decision id="%s" name="%s"><decisionTable id="%s_t"`, id, id, id)
	if p := strings.TrimSpace(lines[0]); p != "-" {
		b.WriteString(Attribute("hitPolicy", policies[p[:1]]) + Attribute("aggregation", aggregations[p[1:]]))
	}
	b.WriteString(">")
	ins, outs, rules := 0, 0, 0
	for _, l := range lines[1:] {
		head, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		switch head {
		case "in":
			for _, c := range cells(rest) {
				ins++
				text, typ, _ := strings.Cut(c, " :: ")
				fmt.Fprintf(&b, `<input id="i%d"><inputExpression id="e%d"%s><text>%s</text></inputExpression></input>`, ins, ins, Attribute("typeRef", typ), Escaped(text))
			}
		case "out":
			for _, c := range cells(rest) {
				outs++
				b.WriteString(outputColumn(outs, c))
			}
		default:
			rules++
			b.WriteString(rule(rules, ins, cells(l)))
		}
	}
	b.WriteString(`</decisionTable></decision>`)
	return b.String()
}

func cells(s string) []string {
	out := strings.Split(s, " | ")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func outputColumn(n int, c string) string {
	c, values, _ := strings.Cut(c, " = ")
	name, typ, _ := strings.Cut(c, " :: ")
	if name == "-" {
		name = ""
	}
	s := fmt.Sprintf(`<output id="o%d"%s%s>`, n, Attribute("name", name), Attribute("typeRef", typ))
	if values != "" {
		s += fmt.Sprintf(`<outputValues id="v%d"><text>%s</text></outputValues>`, n, Escaped(values))
	}
	return s + `</output>`
}

func rule(n, ins int, list []string) string {
	s := fmt.Sprintf(`<rule id="r%d">`, n)
	for i, c := range list {
		kind := "outputEntry"
		if i < ins {
			kind = "inputEntry"
		}
		s += fmt.Sprintf(`<%s id="c%d_%d"><text>%s</text></%s>`, kind, n, i+1, Escaped(c), kind)
	}
	return s + `</rule>`
}
