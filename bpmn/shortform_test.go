package bpmn_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="defs" targetNamespace="http://example.org/suite">
`

// verdict is a model in the short form of testdata/README.md and what is expected of it.
type verdict struct {
	Name, Process, Roots, BPMN, Block string
	Attrs, Text                       *string
	Flows                             []string
}

// xml gives the text of the resource.
func (v verdict) xml() string {
	if v.Text != nil {
		return expand(*v.Text)
	}
	text := ""
	switch {
	case v.BPMN != "":
		text = head + v.BPMN + "\n</definitions>"
	default:
		attrs := `isExecutable="true"`
		if v.Attrs != nil {
			attrs = *v.Attrs
		}
		text = head + v.Roots + `<process id="${id}" ` + attrs + ">\n" + join(v.Process, v.Flows) + "\n</process>\n</definitions>"
	}
	return expand(strings.NewReplacer("[[", "<extensionElements>", "]]", "</extensionElements>").Replace(text))
}

var repeat = regexp.MustCompile(`\$\{rep:(.):(\d+)\}`)

func expand(s string) string {
	s = repeat.ReplaceAllStringFunc(s, func(m string) string {
		p := repeat.FindStringSubmatch(m)
		n, err := strconv.Atoi(p[2])
		if err != nil {
			panic(err)
		}
		return strings.Repeat(p[1], n)
	})
	return strings.ReplaceAll(s, "${id}", "case")
}

// join adds sequence flows to a process body, with incoming and outgoing in the nodes.
func join(body string, flows []string) string {
	var tail strings.Builder
	in, out := map[string]string{}, map[string]string{}
	var order []string
	seen := map[string]bool{}
	for _, f := range flows {
		path, cond, _ := strings.Cut(f, "|")
		ids := strings.Fields(path)
		for i, id := range ids {
			if !seen[id] {
				seen[id] = true
				order = append(order, id)
			}
			if i == 0 {
				continue
			}
			a, flow := ids[i-1], "f_"+ids[i-1]+"_"+id
			out[a] += "<outgoing>" + flow + "</outgoing>"
			in[id] += "<incoming>" + flow + "</incoming>"
			fmt.Fprintf(&tail, "\n"+`<sequenceFlow id="%s" sourceRef="%s" targetRef="%s">`, flow, a, id)
			if c := strings.TrimSpace(cond); c != "" && i == len(ids)-1 {
				c = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(c)
				fmt.Fprintf(&tail, `<conditionExpression xsi:type="tFormalExpression">%s</conditionExpression>`, c)
			}
			tail.WriteString("</sequenceFlow>")
		}
	}
	for _, id := range order {
		body = insert(body, id, in[id]+out[id])
	}
	if at := strings.Index(body, "<association"); at >= 0 { // the schema wants artifacts last
		return body[:at] + tail.String() + "\n" + body[at:]
	}
	return body + tail.String()
}

// insert puts references into the node with this id, behind its extensions.
func insert(body, id, refs string) string {
	tag := regexp.MustCompile(`<(\w+)( [^<>]*?id=['"]` + id + `['"][^<>]*?)(/?)>(\s*\[\[(?s:.*?)\]\])?`)
	at := tag.FindStringSubmatchIndex(body)
	if at == nil {
		return body // a flow to nowhere: the case wants that
	}
	kind, attrs := body[at[2]:at[3]], body[at[4]:at[5]]
	if at[6] != at[7] {
		return body[:at[0]] + "<" + kind + attrs + ">" + refs + "</" + kind + ">" + body[at[1]:]
	}
	return body[:at[1]] + refs + body[at[1]:]
}
