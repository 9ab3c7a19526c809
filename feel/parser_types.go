package feel

import "strings"

// typeNames are the types of more than one word.
var typeNames = []string{"date and time", "years and months duration", "days and time duration"}

// typeExpr parses a type (DMN 1.3, grammar rule 55).
func (p *parser) typeExpr() *Type {
	if p.depth++; p.depth > maxNesting {
		p.failAt(p.cur().start, "the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	t := &Type{name: p.typeName()}
	if !p.isSymbol("<") {
		return t
	}
	switch t.name {
	case "list", "range":
		p.pos++
		t.of = []*Type{p.typeExpr()}
		p.expectSymbol(">")
	case "context":
		p.pos++
		p.contextType(t)
	case "function":
		p.pos++
		p.functionType(t)
	}
	return t
}

func (p *parser) typeName() string {
	for _, t := range typeNames {
		if p.acceptPhrase(t) {
			return t
		}
	}
	name := p.typeWord()
	for p.isSymbol(".") {
		p.pos++
		name += "." + p.typeWord()
	}
	return name
}

func (p *parser) typeWord() string {
	t := p.cur()
	if t.kind != tokQuotedName && (t.kind != tokName || reserved[t.text] && t.text != "function") {
		p.unexpected("a type")
	}
	p.pos++
	return t.text
}

// contextType parses "a: number, b: string>".
func (p *parser) contextType(t *Type) {
	t.keys = []string{}
	for !p.acceptSymbol(">") {
		if len(t.keys) > 0 {
			p.expectSymbol(",")
		}
		var words []string
		for p.cur().kind == tokName || p.cur().kind == tokQuotedName {
			words = append(words, p.cur().text)
			p.pos++
		}
		if words == nil {
			p.unexpected("the name of an entry")
		}
		p.expectSymbol(":")
		t.keys = append(t.keys, strings.Join(words, " "))
		t.of = append(t.of, p.typeExpr())
	}
}

// functionType parses "number, date> -> string".
func (p *parser) functionType(t *Type) {
	for !p.acceptSymbol(">") {
		if len(t.of) > 0 {
			p.expectSymbol(",")
		}
		t.of = append(t.of, p.typeExpr())
	}
	p.expectSymbol("-")
	p.expectSymbol(">")
	t.result = p.typeExpr()
}
