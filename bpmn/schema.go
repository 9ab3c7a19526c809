package bpmn

import (
	"math"
	"strings"
	"sync"
)

// schemaType is a type of the schema with what it inherits.
type schemaType struct {
	name                      string
	base                      *schemaType
	attrs                     []schemaAttr
	content                   []particle
	mixed, any, other, closed bool
	simple                    byte // 'Q' or 'R': the element holds a QName or IDREF, nothing else
}

// schemaAttr is an attribute; kind is empty (text), ID, R, Q, b, i, d or an enumeration.
type schemaAttr struct {
	name, kind string
	must       bool
}

// particle is a place in a content model.
type particle struct {
	names    []string // alternatives; the heads of substitution groups among them
	typ      string   // type of an element declared in this place, empty for a global one
	min, max int
}

type schemaElement struct {
	typ   *schemaType
	heads []string
}

type schemaTable struct {
	types    map[string]*schemaType
	elements map[string]*schemaElement
}

var (
	simpleQName = &schemaType{name: "QName", simple: 'Q', closed: true}
	simpleRef   = &schemaType{name: "IDREF", simple: 'R', closed: true}
)

// schema reads the tables once.
var schema = sync.OnceValue(func() *schemaTable {
	s := &schemaTable{
		types:    map[string]*schemaType{"Q": simpleQName, "R": simpleRef},
		elements: map[string]*schemaElement{},
	}
	for line := range strings.Lines(strings.TrimSpace(schemaTypes)) {
		s.addType(line)
	}
	for line := range strings.Lines(strings.TrimSpace(schemaElements)) {
		f := strings.Fields(line)
		s.elements[f[0]] = &schemaElement{typ: s.types[f[1]], heads: f[2:]}
	}
	return s
})

func (s *schemaTable) addType(line string) {
	head, rest, _ := strings.Cut(strings.TrimSpace(line), " :")
	attrs, content, _ := strings.Cut(rest+" ", ": ")
	words := strings.Fields(head)
	t := &schemaType{name: words[0]}
	if base := s.types[words[1]]; base != nil {
		*t = *base
		t.name, t.base = words[0], base
		t.attrs, t.content = append([]schemaAttr(nil), base.attrs...), append([]particle(nil), base.content...)
	}
	for _, w := range words[2:] {
		switch w {
		case "mixed":
			t.mixed = true
		case "any":
			t.any = true
		case "other":
			t.other = true
		case "closed":
			t.closed = true
		}
	}
	for _, a := range strings.Fields(attrs) {
		name, kind, _ := strings.Cut(a, ":")
		bare := strings.TrimSuffix(name, "!")
		t.attrs = append(t.attrs, schemaAttr{bare, kind, bare != name})
	}
	for _, p := range strings.Fields(content) {
		t.content = append(t.content, newParticle(p))
	}
	s.types[t.name] = t
}

func newParticle(text string) particle {
	p := particle{min: 1, max: 1}
	switch last := text[len(text)-1]; last {
	case '?':
		p.min = 0
	case '*':
		p.min, p.max = 0, math.MaxInt
	case '+':
		p.max = math.MaxInt
	case '2':
		p.min, p.max = 2, math.MaxInt
	default:
		text += " "
	}
	text = text[:len(text)-1]
	names, typ, _ := strings.Cut(text, "=")
	p.names, p.typ = strings.Split(names, "|"), typ
	return p
}

// match gives the type of an element that stands in this place, nil if it may
// not. The name has the prefix of the tables.
func (s *schemaTable) match(p *particle, name string) *schemaType {
	if p.typ != "" {
		for _, n := range p.names {
			if n == name {
				return s.types[p.typ]
			}
		}
		return nil
	}
	e := s.elements[name]
	if e == nil {
		return nil
	}
	for _, n := range p.names {
		if n == name {
			return e.typ
		}
		for _, h := range e.heads {
			if h == n {
				return e.typ
			}
		}
	}
	return nil
}

// schemaPrefixes are those the tables use for the namespaces of the schema.
var schemaPrefixes = map[string]string{
	modelSpace: "",
	"http://www.omg.org/spec/BPMN/20100524/DI": "di:",
	"http://www.omg.org/spec/DD/20100524/DI":   "ddi:",
	"http://www.omg.org/spec/DD/20100524/DC":   "dc:",
}

// tableName gives an element's name as the tables have it; foreign elements
// get a name that is in none of them.
func tableName(space, local string) string {
	prefix, ok := schemaPrefixes[space]
	switch {
	case !ok:
		return "?"
	case prefix == "":
		return local
	}
	return prefix + local
}

// fullName writes a name of the tables as the original does.
func fullName(name string) string {
	prefix, local := split(name)
	for space, p := range schemaPrefixes {
		if p == prefix+":" || p == "" && prefix == "" {
			return inSpace(space, local)
		}
	}
	return local
}

// derives says whether t is the type or made from it.
func (t *schemaType) derives(from *schemaType) bool {
	for ; t != nil; t = t.base {
		if t == from {
			return true
		}
	}
	return false
}
