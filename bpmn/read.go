package bpmn

import "strings"

// reader builds the document from the scanner's tags.
type reader struct {
	s     *scanner
	doc   *document
	stack []frame
	arena []node
	refs  []string // values of IDREFs, in document order
}

// frame is an open element; node is nil where the element is dropped.
type frame struct {
	node *node
	text []byte
	place
}

// read takes a document apart and checks it against the schema, in one pass. It never recurses and what it keeps is bounded
// by the document's size and by maxNodes.
func read(xml []byte) (*document, error) {
	src, declaration, err := decode(xml)
	if err != nil {
		return nil, err
	}
	r := &reader{s: newScanner(src), doc: &document{ids: make(map[string]*node)}}
	r.s.pos = declaration
	if err := r.prolog(); err != nil {
		return nil, err
	}
	if err := r.content(); err != nil {
		return nil, err
	}
	return r.doc, r.epilog()
}

func (r *reader) prolog() error {
	s := r.s
	for {
		s.skipSpace()
		if s.pos >= len(s.src) {
			return s.fatal("Premature end of file.")
		}
		if again, err := s.skipMisc(); err != nil {
			return err
		} else if again {
			continue
		}
		switch rest := s.rest(); {
		case rest[0] != '<':
			return s.fatal("Content is not allowed in prolog.")
		case strings.HasPrefix(rest, "<!DOCTYPE"):
			return s.fatal(`DOCTYPE is disallowed when the feature "http://apache.org/xml/features/disallow-doctype-decl" set to true.`)
		case len(rest) == 1 || rest[1] == '!' || rest[1] == '/':
			return s.fatal("The markup in the document preceding the root element must be well-formed.")
		}
		return nil
	}
}

func (r *reader) epilog() error {
	s := r.s
	for {
		s.skipSpace()
		if s.pos >= len(s.src) {
			return nil
		}
		again, err := s.skipMisc()
		switch {
		case err != nil:
			return err
		case again:
		case s.src[s.pos] == '<':
			return s.fatal("The markup in the document following the root element must be well-formed.")
		default:
			return s.fatal("Content is not allowed in trailing section.")
		}
	}
}

// content reads the root element.
func (r *reader) content() error {
	s := r.s
	for {
		if s.pos >= len(s.src) {
			return s.unfinished()
		}
		again, err := s.skipMisc()
		if err != nil {
			return err
		}
		if again {
			continue
		}
		switch rest := s.rest(); {
		case strings.HasPrefix(rest, "</"):
			err = r.close()
		case rest[0] == '<' && !strings.HasPrefix(rest, cdata):
			err = r.openTag()
		default:
			err = r.characters()
		}
		if err != nil {
			return err
		}
		if len(r.stack) == 0 {
			return nil
		}
	}
}

func (r *reader) characters() error {
	t, err := r.s.text()
	if err != nil || len(r.stack) == 0 {
		return err
	}
	if f := &r.stack[len(r.stack)-1]; f.node != nil {
		if len(f.text) == 0 && f.node.text == "" {
			f.node.text = strings.TrimSpace(t)
			if f.node.text != t && f.node.text != "" {
				f.text = append(f.text, t...)
			}
			return nil
		}
		if len(f.text) == 0 {
			f.text = append(f.text, f.node.text...)
		}
		f.text = append(f.text, t...)
	}
	return nil
}

func (r *reader) openTag() error {
	space, local, err := r.s.startTag()
	if err != nil {
		return err
	}
	var parent *node
	if n := len(r.stack); n > 0 {
		parent = r.stack[n-1].node
	}
	f := frame{}
	if f.typ, err = r.declare(space, local); err != nil {
		return err
	}
	if err = r.checkAttributes(f.typ); err != nil {
		return err
	}
	if r.keeps(parent, space) {
		if f.node, err = r.add(parent, space, local); err != nil {
			return err
		}
	}
	r.stack = append(r.stack, f)
	if r.s.selfClose {
		return r.leave()
	}
	return nil
}

// keeps says whether an element belongs to the tree.
func (r *reader) keeps(parent *node, space string) bool {
	switch {
	case len(r.stack) == 0:
		return true
	case parent == nil:
		return false
	case parent.zeebe || parent.name == "extensionElements":
		return space == zeebeSpace
	}
	return space == modelSpace
}

func (r *reader) add(parent *node, space, local string) (*node, error) {
	if r.doc.nodes == maxNodes {
		return nil, r.s.fatal("The document has more than %d elements.", maxNodes)
	}
	if len(r.arena) == 0 {
		r.arena = make([]node, 64)
	}
	n := &r.arena[0]
	r.arena = r.arena[1:]
	*n = node{name: local, zeebe: space == zeebeSpace, order: r.doc.nodes, parent: parent, line: r.s.at()}
	r.doc.nodes++
	if len(r.s.attrs) > 0 {
		n.attrs = append([]attr(nil), r.s.attrs...)
	}
	if parent == nil {
		r.doc.root = n
	} else {
		parent.children = append(parent.children, n)
	}
	if id := n.id(); id != "" && !n.zeebe {
		r.doc.ids[id] = n
	}
	return n, nil
}

func (r *reader) close() error {
	if err := r.s.endTag(); err != nil {
		return err
	}
	return r.leave()
}

// leave ends the innermost element.
func (r *reader) leave() error {
	f := &r.stack[len(r.stack)-1]
	if len(f.text) > 0 {
		f.node.text = strings.TrimSpace(string(f.text))
	}
	if err := r.finish(f); err != nil {
		return err
	}
	r.stack = r.stack[:len(r.stack)-1]
	r.s.leave()
	if len(r.stack) == 0 {
		return r.checkRefs()
	}
	return nil
}
