package enginetest

import (
	"fmt"
	"strings"
)

// bare are the attributes that need no value.
var bare = map[string]bool{"native": true, "noninterrupting": true, "terminate": true, "error": true, "escalation": true, "seq": true, "compensate": true, "compensation": true}

// isEvent are the attributes that say what an event waits for or throws, and
// where it stands.
var isEvent = map[string]bool{
	"on": true, "noninterrupting": true, "timer": true, "date": true, "cycle": true,
	"error": true, "escalation": true, "terminate": true, "link": true, "compensate": true, "compensation": true,
	"message": true, "key": true, "signal": true,
	"each": true, "elem": true, "outc": true, "oute": true, "until": true, "seq": true,
}

func (n *node) attribute(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// multiInstance writes the loop of a node that has one.
func (n *node) multiInstance(b *strings.Builder) {
	if _, ok := n.attribute("each"); !ok {
		return
	}
	_, sequential := n.attribute("seq")
	fmt.Fprintf(b, `<multiInstanceLoopCharacteristics isSequential="%v"><extensionElements><zeebe:loopCharacteristics`, sequential)
	for _, a := range [][2]string{{"each", "inputCollection"}, {"elem", "inputElement"}, {"outc", "outputCollection"}, {"oute", "outputElement"}} {
		if v, ok := n.attribute(a[0]); ok {
			fmt.Fprintf(b, ` %s="%s"`, a[1], escaped(v))
		}
	}
	b.WriteString("/></extensionElements>")
	if v, ok := n.attribute("until"); ok {
		fmt.Fprintf(b, `<completionCondition xsi:type="tFormalExpression">%s</completionCondition>`, escaped(v))
	}
	b.WriteString("</multiInstanceLoopCharacteristics>")
}

func (w *formWriter) eventAttributes(n *node, b *strings.Builder) {
	for _, a := range n.attrs {
		switch {
		case a.name == "message" && n.kind == "receive":
			b.WriteString(w.message(a.value, n))
		case a.name == "on":
			fmt.Fprintf(b, ` attachedToRef="%s"`, escaped(a.value))
		case a.name == "noninterrupting" && n.kind == "boundary":
			b.WriteString(` cancelActivity="false"`)
		case a.name == "noninterrupting":
			b.WriteString(` isInterrupting="false"`)
		case a.name == "compensation":
			b.WriteString(` isForCompensation="true"`)
		}
	}
}

// definition writes the event definition of a node that has one.
func (w *formWriter) definition(n *node) {
	for _, a := range n.attrs {
		switch a.name {
		case "timer", "date", "cycle":
			tag := map[string]string{"timer": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}[a.name]
			w.event("timer", "", fmt.Sprintf(`<%s xsi:type="tFormalExpression">%s</%s>`, tag, escaped(a.value), tag))
		case "error", "escalation":
			w.event(a.name, w.declare(a.name, a.value), "")
		case "message":
			ref := w.message(a.value, n)
			if n.kind != "receive" {
				w.event("message", ref, "")
			}
		case "signal":
			w.event("signal", w.declare("signal", a.value), "")
		case "terminate":
			w.event("terminate", "", "")
		case "compensate":
			activity := ""
			if n.kind != "boundary" && a.value != "" {
				activity = fmt.Sprintf(` activityRef="%s"`, escaped(a.value))
			}
			w.event("compensate", activity, "")
		case "link":
			w.event("link", fmt.Sprintf(` name="%s"`, escaped(a.value)), "")
		}
	}
}

func (w *formWriter) event(kind, attrs, inner string) {
	w.count++
	fmt.Fprintf(&w.body, `<%sEventDefinition id="definition_%d"%s>%s</%sEventDefinition>`, kind, w.count, attrs, inner, kind)
}

// message makes a message with the node's correlation key known, and returns the
// reference to it.
func (w *formWriter) message(name string, n *node) string {
	key, _ := n.attribute("key")
	id, known := w.roots["message "+name+" "+key]
	if !known {
		id = fmt.Sprintf("message_%d", len(w.roots)+1)
		w.roots["message "+name+" "+key] = id
		subscription := ""
		if key != "" {
			subscription = fmt.Sprintf(`<extensionElements><zeebe:subscription correlationKey="%s"/></extensionElements>`, escaped(key))
		}
		fmt.Fprintf(&w.declared, `<message id="%s" name="%s">%s</message>`+"\n", id, escaped(name), subscription)
	}
	return fmt.Sprintf(` messageRef="%s"`, id)
}

// declare makes an error or escalation known and returns the reference to it;
// without a code there is none.
func (w *formWriter) declare(kind, code string) string {
	if code == "" {
		return ""
	}
	id, known := w.roots[kind+" "+code]
	if !known {
		id = fmt.Sprintf("%s_%d", kind, len(w.roots)+1)
		w.roots[kind+" "+code] = id
		if kind == "signal" {
			fmt.Fprintf(&w.declared, `<signal id="%s" name="%s"/>`+"\n", id, escaped(code))
		} else {
			fmt.Fprintf(&w.declared, `<%s id="%s" name="%s" %sCode="%s"/>`+"\n", kind, id, id, kind, escaped(code))
		}
	}
	return fmt.Sprintf(` %sRef="%s"`, kind, id)
}
