package bpmn

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// place is where the content of an open element has come to.
type place struct {
	typ   *schemaType // nil inside what the schema does not look at
	index int         // particle of typ.content
	count int         // how often it was matched
}

// invalidf is a breach of the schema at the tag just read.
func (r *reader) invalidf(format string, args ...any) *fault {
	return &fault{"Error", r.s.at(), fmt.Sprintf(format, args...)}
}

// declare finds the type of the element whose start tag was just read and
// checks that it may stand where it does.
func (r *reader) declare(space, local string) (*schemaType, error) {
	table := schema()
	if len(r.stack) == 0 {
		if space != modelSpace || local != "definitions" {
			return nil, r.invalidf("cvc-elt.1.a: Cannot find the declaration of element '%s'.", r.qname())
		}
		return r.override(table.types["tDefinitions"])
	}
	p := &r.stack[len(r.stack)-1].place
	switch t := p.typ; {
	case t == nil || t.any:
		return nil, nil
	case t.other:
		if space == modelSpace || space == "" {
			return nil, r.invalidf("cvc-complex-type.2.4.a: Invalid content was found starting with element '%s'. One of '{WC[##other:\"%s\"]}' is expected.",
				expandedName(space, local), modelSpace)
		}
		return nil, nil
	case t.simple != 0:
		return nil, r.invalidf("cvc-type.3.1.2: Element '%s' is a simple type, so it must have no element information item [children].", r.s.open[len(r.s.open)-2])
	}
	typ := p.next(table, tableName(space, local))
	if typ == nil {
		return nil, r.unexpected(p, space, local)
	}
	return r.override(typ)
}

// next moves to the particle that takes the element, and gives its type; nil
// if none does, and the place stays.
func (p *place) next(table *schemaTable, name string) *schemaType {
	index, count := p.index, p.count
	for index < len(p.typ.content) {
		part := &p.typ.content[index]
		if count < part.max {
			if t := table.match(part, name); t != nil {
				p.index, p.count = index, count+1
				return t
			}
		}
		if count < part.min {
			return nil
		}
		index, count = index+1, 0
	}
	return nil
}

// expected lists what may come next.
func (p *place) expected() string {
	var names []string
	for index, count := p.index, p.count; index < len(p.typ.content); index, count = index+1, 0 {
		part := &p.typ.content[index]
		if count < part.max {
			for _, n := range part.names {
				names = append(names, fullName(n))
			}
		}
		if count < part.min {
			break
		}
	}
	return strings.Join(names, ", ")
}

func inSpace(space, name string) string { return fmt.Sprintf(`"%s":%s`, space, name) }

func expandedName(space, local string) string {
	if space == "" {
		return local
	}
	return "{" + inSpace(space, local) + "}"
}

func (r *reader) unexpected(p *place, space, local string) error {
	name := expandedName(space, local)
	if e := p.expected(); e != "" {
		return r.invalidf("cvc-complex-type.2.4.a: Invalid content was found starting with element '%s'. One of '{%s}' is expected.", name, e)
	}
	return r.invalidf("cvc-complex-type.2.4.d: Invalid content was found starting with element '%s'. No child element is expected at this point.", name)
}

// override follows xsi:type.
func (r *reader) override(declared *schemaType) (*schemaType, error) {
	for _, a := range r.s.attrs {
		if a.space != xsiSpace || a.name != "type" {
			continue
		}
		prefix, local := split(strings.TrimSpace(a.value))
		uri, bound := r.s.uri(prefix)
		t := schema().types[local]
		if !bound || uri != modelSpace || t == nil || t.simple != 0 {
			return nil, r.invalidf("cvc-elt.4.2: Cannot resolve '%s' to a type definition for element '%s'.", a.value, r.qname())
		}
		if !t.derives(declared) {
			return nil, r.invalidf("cvc-elt.4.3: Type '%s' is not validly derived from the type definition, '%s', of element '%s'.", a.value, declared.name, r.qname())
		}
		return t, nil
	}
	return declared, nil
}

// qname is the name of the element at hand as written.
func (r *reader) qname() string { return r.s.open[len(r.s.open)-1] }

// finish checks what can only be known at the end of an element.
func (r *reader) finish(f *frame) error {
	t := f.typ
	if t == nil {
		return nil
	}
	if t.simple != 0 {
		value := f.node.text
		if !validName(value, t.simple == 'Q') {
			return r.invalidf("cvc-datatype-valid.1.2.1: '%s' is not a valid value for '%s'.", value, nameType(t.simple == 'Q'))
		}
		if t.simple == 'R' {
			r.refs = append(r.refs, value)
		}
		return nil
	}
	if f.node != nil && f.node.text != "" && !t.mixed {
		return r.invalidf("cvc-complex-type.2.3: Element '%s' cannot have character [children], because the type's content type is element-only.", r.qname())
	}
	for index, count := f.index, f.count; index < len(t.content); index, count = index+1, 0 {
		if count < t.content[index].min {
			return r.invalidf("cvc-complex-type.2.4.b: The content of element '%s' is not complete. One of '{%s}' is expected.", r.qname(), f.expected())
		}
	}
	return nil
}

func nameType(qualified bool) string {
	if qualified {
		return "QName"
	}
	return "NCName"
}

// validName says whether the text is an NCName, or a QName if qualified.
func validName(text string, qualified bool) bool {
	if qualified {
		if prefix, local, ok := strings.Cut(text, ":"); ok {
			return validName(prefix, false) && validName(local, false)
		}
	}
	for i, c := range text {
		if c == ':' || !nameChar(c) || i == 0 && !nameStart(c) || c == utf8.RuneError {
			return false
		}
	}
	return text != ""
}
