package bpmn

import "strings"

// Namespaces that matter. Prefixes are the author's choice.
const (
	modelSpace = "http://www.omg.org/spec/BPMN/20100524/MODEL"
	zeebeSpace = "http://camunda.org/schema/zeebe/1.0"
	xsiSpace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// node is an element of the BPMN model or an extension of Zeebe's. Elements of
// other namespaces (diagrams, other vendors' extensions) are read and dropped.
type node struct {
	name     string // local name
	zeebe    bool   // of the extension's namespace, else of BPMN's
	order    int    // place in the document, from 0
	line     int    // where its start tag ends
	attrs    []attr
	text     string // character data directly inside, without blanks at the ends
	parent   *node
	children []*node
}

// document is a resource that is well-formed and keeps to the schema.
type document struct {
	root  *node
	ids   map[string]*node // BPMN elements by id
	nodes int
}

// attr gives the value of an attribute without a namespace, "" if it is absent.
func (n *node) attr(name string) string { v, _ := n.lookup(name); return v }

func (n *node) lookup(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.name == name && a.space == "" {
			return a.value, true
		}
	}
	return "", false
}

func (n *node) id() string { return n.attr("id") }

// is says whether the node is the BPMN element of this name.
func (n *node) is(name string) bool { return n != nil && !n.zeebe && n.name == name }

// child gives the first child of this name, nil without one.
func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name && !c.zeebe {
			return c
		}
	}
	return nil
}

// within gives the children of an extension element such as taskHeaders.
func (n *node) within(name string) (out []*node) {
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// extensions gives the Zeebe extension elements of this name.
func (n *node) extensions(name string) []*node {
	if e := n.child("extensionElements"); e != nil {
		return e.within(name)
	}
	return nil
}

// extension gives the first of them, nil without one.
func (n *node) extension(name string) *node {
	if l := n.extensions(name); len(l) > 0 {
		return l[0]
	}
	return nil
}

// bool reads an xs:boolean that the schema has checked.
func (n *node) bool(name string, unset bool) bool {
	switch n.attr(name) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	return unset
}

// ref gives the local part of a reference.
func (n *node) ref(name string) string {
	v := n.attr(name)
	return v[strings.LastIndexByte(v, ':')+1:]
}

// path names the node for people: the chain from the nearest element with an
// id, such as task > extensionElements > taskDefinition.
func (n *node) path() string {
	if !n.zeebe && n.parent != nil && n.id() != "" {
		return n.id()
	}
	if n.parent == nil {
		return n.name
	}
	return n.parent.path() + " > " + n.name
}
