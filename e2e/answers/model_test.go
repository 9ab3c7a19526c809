package answers

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	bpmnHead = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="defs" targetNamespace="http://example.org/suite">
`
	dmnHead = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="drg_${id}" name="requirements" namespace="http://example.org/suite">
`
)

// resources turns the short form of resources into the JSON of the protocol:
//
//	process: body of the executable process ${id}; attrs: other attributes of it
//	flows:   paths "a b c", joined by sequence flows f_a_b, f_b_c; "a b c | =condition" puts
//	         the condition on the last one
//	roots:   what stands beside the process in the definitions
//	bpmn, dmn: the whole content of the definitions
//	form, text: the whole resource
//
// In BPMN, [[ and ]] stand for the extensionElements tags.
func resources(v any, content string) ([]any, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []any
	for _, it := range list {
		m, ok := it.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("not a resource: %v", it)
		}
		name, text := resource(m)
		out = append(out, map[string]any{"name": name, content: text})
	}
	return out, nil
}

func resource(m map[string]any) (name, text string) {
	str := func(k string) string { s, _ := m[k].(string); return s }
	has := func(k string) bool { _, ok := m[k]; return ok }
	name, text = "${id}.bpmn", str("text")
	switch {
	case has("dmn"):
		name, text = "${id}.dmn", dmnHead+str("dmn")+"\n</definitions>"
	case has("form"):
		name, text = "${id}.form", str("form")
	case has("bpmn"):
		text = bpmnHead + str("bpmn") + "\n</definitions>"
	case has("process"):
		attrs := `isExecutable="true"`
		if has("attrs") {
			attrs = str("attrs")
		}
		body := str("process")
		if fs, ok := m["flows"].([]any); ok {
			body = join(body, fs)
		}
		text = bpmnHead + str("roots") + `<process id="${id}" ` + attrs + ">\n" + body + "\n</process>\n</definitions>"
	}
	if has("bpmn") || has("process") {
		text = strings.NewReplacer("[[", "<extensionElements>", "]]", "</extensionElements>").Replace(text)
	}
	if has("name") {
		name = str("name")
	}
	return name, text
}

// join adds sequence flows to a process body, with incoming and outgoing in the nodes.
func join(body string, flows []any) string {
	var tail strings.Builder
	refs := map[string]string{}
	var order []string
	ref := func(node, tag, flow string) {
		if refs[node] == "" {
			order = append(order, node)
		}
		refs[node] += "<" + tag + ">" + flow + "</" + tag + ">"
	}
	for _, f := range flows {
		path, cond, _ := strings.Cut(f.(string), "|")
		ids := strings.Fields(path)
		for i := 1; i < len(ids); i++ {
			a, b := ids[i-1], ids[i]
			flow := "f_" + a + "_" + b
			ref(a, "outgoing", flow)
			ref(b, "incoming", flow)
			fmt.Fprintf(&tail, "\n"+`<sequenceFlow id="%s" sourceRef="%s" targetRef="%s">`, flow, a, b)
			if c := strings.TrimSpace(cond); c != "" && i == len(ids)-1 {
				c = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(c)
				fmt.Fprintf(&tail, `<conditionExpression xsi:type="tFormalExpression">%s</conditionExpression>`, c)
			}
			tail.WriteString("</sequenceFlow>")
		}
	}
	for _, id := range order {
		in := regexp.MustCompile(`<outgoing>.*?</outgoing>`)
		outs := strings.Join(in.FindAllString(refs[id], -1), "")
		r := in.ReplaceAllString(refs[id], "") + outs // the schema wants incoming first
		tag := regexp.MustCompile(`<(\w+)( [^<>]*?id=['"]` + id + `['"][^<>]*?)(/?)>(\s*\[\[(?s:.*?)\]\])?`)
		at := tag.FindStringSubmatchIndex(body)
		if at == nil {
			continue // a flow to nowhere: the case wants that
		}
		kind, attrs := body[at[2]:at[3]], body[at[4]:at[5]]
		if at[6] != at[7] {
			body = body[:at[0]] + "<" + kind + attrs + ">" + r + "</" + kind + ">" + body[at[1]:]
		} else {
			body = body[:at[1]] + r + body[at[1]:]
		}
	}
	if at := strings.Index(body, "<association"); at >= 0 { // the schema wants artifacts last
		return body[:at] + tail.String() + "\n" + body[at:]
	}
	return body + tail.String()
}
