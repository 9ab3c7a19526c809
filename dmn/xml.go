package dmn

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// modelSpaces are the namespaces of DMN 1.1 to 1.5; a document uses one.
var modelSpaces = map[string]bool{
	"http://www.omg.org/spec/DMN/20151101/dmn.xsd": true,
	"http://www.omg.org/spec/DMN/20180521/MODEL/":  true,
	"https://www.omg.org/spec/DMN/20191111/MODEL/": true,
	"https://www.omg.org/spec/DMN/20211108/MODEL/": true,
	"https://www.omg.org/spec/DMN/20230324/MODEL/": true,
}

const zeebeSpace = "http://camunda.org/schema/zeebe/1.0"

// node is an element of the model, or an extension of Zeebe's. What is of
// other namespaces (diagrams, other extensions) is read and dropped.
type node struct {
	name     string // local name
	zeebe    bool
	attrs    []xml.Attr
	text     string
	children []*node
}

// lookup gives the value of an attribute without a namespace.
func (n *node) lookup(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value, true
		}
	}
	return "", false
}

func (n *node) attr(name string) string { v, _ := n.lookup(name); return v }

func (n *node) id() string { return strings.TrimSpace(n.attr("id")) }

// child gives the first child of this name, nil without one (or without a node).
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.name == name && !c.zeebe {
			return c
		}
	}
	return nil
}

// all gives the children of this name.
func (n *node) all(name string) (out []*node) {
	for _, c := range n.children {
		if c.name == name && !c.zeebe {
			out = append(out, c)
		}
	}
	return out
}

// reader builds the tree of a document.
type reader struct {
	dec   *xml.Decoder
	space string // of the root
	nodes int
}

// read reads the document. Entities other than XML's own, a document type and
// encodings other than UTF-8 are refused.
func read(src []byte) (*node, error) {
	if len(src) > maxBytes {
		return nil, fmt.Errorf("the resource has more than %d bytes", maxBytes)
	}
	r := &reader{dec: xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xEF\xBB\xBF"))))}
	var root *node
	for {
		t, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if root != nil {
				return nil, errors.New("the document has more than one root")
			}
			if t.Name.Local != "definitions" || !modelSpaces[t.Name.Space] {
				return nil, fmt.Errorf("'%s' of namespace '%s' is no DMN model", t.Name.Local, t.Name.Space)
			}
			r.space = t.Name.Space
			if root, err = r.element(t, 1); err != nil {
				return nil, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("text stands outside of the root")
			}
		case xml.Directive:
			return nil, errors.New("a document type is not allowed")
		}
	}
	if root == nil {
		return nil, errors.New("the document is empty")
	}
	return root, nil
}

// element reads what an element holds, up to its end; nil if it is of another
// namespace.
func (r *reader) element(start xml.StartElement, depth int) (*node, error) {
	if depth > maxXMLDepth {
		return nil, fmt.Errorf("elements are nested more than %d levels deep", maxXMLDepth)
	}
	if len(start.Attr) > maxAttributes {
		return nil, fmt.Errorf("'%s' has more than %d attributes", start.Name.Local, maxAttributes)
	}
	var n *node
	if ours := start.Name.Space == r.space; ours || start.Name.Space == zeebeSpace {
		if r.nodes++; r.nodes > maxNodes {
			return nil, fmt.Errorf("there are more than %d elements", maxNodes)
		}
		n = &node{name: start.Name.Local, zeebe: !ours, attrs: start.Attr}
		if err := refuseTwice(n); err != nil {
			return nil, err
		}
	}
	var text []byte
	for {
		t, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			c, err := r.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			if n != nil && c != nil {
				n.children = append(n.children, c)
			}
		case xml.CharData:
			if n != nil && keepsText[n.name] {
				text = append(text, t...)
			}
		case xml.Directive:
			return nil, errors.New("a document type is not allowed")
		case xml.EndElement:
			if n != nil {
				n.text = string(text)
			}
			return n, nil
		}
	}
}

// keepsText names the elements whose text is looked at.
var keepsText = map[string]bool{"text": true, "typeRef": true}

// refuseTwice looks for an attribute given twice, which encoding/xml allows.
func refuseTwice(n *node) error {
	for i, a := range n.attrs {
		for _, b := range n.attrs[:i] {
			if a.Name == b.Name {
				return fmt.Errorf("attribute '%s' of '%s' is given twice", a.Name.Local, n.name)
			}
		}
	}
	return nil
}
