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

// schemaAttr is an attribute; kind is empty (text), ID, R, Q, b, i or an enumeration.
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

// match gives the type of an element that stands in this place, nil if it may not.
func (s *schemaTable) match(p *particle, space, name string) *schemaType {
	for _, n := range p.names {
		if strings.HasPrefix(n, "di:") {
			if space == diagramSpace && n[3:] == name {
				return laxType
			}
			continue
		}
		if space != modelSpace {
			continue
		}
		if p.typ != "" {
			if n == name {
				return s.types[p.typ]
			}
			continue
		}
		e := s.elements[name]
		if e == nil {
			continue
		}
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

const (
	diagramSpace = "http://www.omg.org/spec/BPMN/20100524/DI"
	shapeSpace   = "http://www.omg.org/spec/DD/20100524/DI"
)

// laxType is that of elements the schema lets pass unseen.
var laxType = &schemaType{any: true}

// derives says whether t is the type or made from it.
func (t *schemaType) derives(from *schemaType) bool {
	for ; t != nil; t = t.base {
		if t == from {
			return true
		}
	}
	return false
}
