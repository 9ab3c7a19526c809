package feel

import "strings"

// namePrimary parses what begins with a name. Words of the language that are
// not reserved are names unless what follows is their construct.
func (p *parser) namePrimary(t token) node {
	switch t.text {
	case "null":
		p.pos++
		return &constNode{null}
	case "true", "false":
		p.pos++
		return &constNode{Bool(t.text == "true")}
	case "if":
		if p.startsExpression(p.ahead(1)) {
			return p.conditional()
		}
	case "for":
		if p.startsIteration() {
			return p.loop()
		}
	case "some", "every":
		if p.startsIteration() {
			return p.quantified(t.text == "some")
		}
	case "function":
		if next := p.ahead(1); next.kind == tokSymbol && next.text == "(" {
			return p.function()
		}
	}
	return p.nameOrCall()
}

func (p *parser) startsExpression(t token) bool {
	switch t.kind {
	case tokSymbol:
		return strings.Contains("([{-?@", t.text)
	case tokName:
		return !reserved[t.text] || t.text == "null" || t.text == "true" || t.text == "false" || t.text == "function"
	}
	return t.kind == tokNumber || t.kind == tokString || t.kind == tokQuotedName
}

// startsIteration says whether "name in" follows.
func (p *parser) startsIteration() bool {
	name, in := p.ahead(1), p.ahead(2)
	return (name.kind == tokQuotedName || name.kind == tokName && !reserved[name.text]) &&
		in.kind == tokName && in.text == "in"
}

func (p *parser) nameOrCall() node {
	if name, ok := p.callName(); ok {
		if builtins[name] == nil {
			p.use(name)
		}
		n := p.arguments(&callNode{name: name})
		n.resolve()
		return n
	}
	t := p.cur()
	if t.kind == tokName && reserved[t.text] {
		p.unexpected("an expression")
	}
	p.pos++
	p.use(t.text)
	return &varNode{t.text}
}

// endsName are the words that no name of a function goes on over, except in
// the names of built-in functions.
var endsName = map[string]bool{
	"and": true, "or": true, "in": true, "then": true, "else": true, "return": true, "satisfies": true,
	"between": true, "instance": true, "function": true,
}

// callName takes the name of a function, which may have blanks, and the
// opening parenthesis after it, if that is what follows.
func (p *parser) callName() (string, bool) {
	t := p.cur()
	if t.kind != tokName && t.kind != tokQuotedName {
		return "", false
	}
	name := t.text
	for n := 1; n <= 16; n++ {
		next := p.ahead(n)
		if next.kind == tokSymbol && next.text == "(" {
			isBuiltin := builtins[name] != nil
			if reserved[name] && !isBuiltin {
				return "", false
			}
			p.pos += n + 1
			return name, true
		}
		if next.kind != tokName || t.kind == tokQuotedName {
			return "", false
		}
		name += " " + next.text
		if (endsName[next.text] || endsName[t.text]) && !builtinPrefixes[name] {
			return "", false
		}
	}
	return "", false
}

// arguments parses the arguments of a call after its opening parenthesis.
func (p *parser) arguments(n *callNode) *callNode {
	for !p.acceptSymbol(")") {
		if len(n.args) > 0 {
			p.expectSymbol(",")
		}
		name, named := p.argumentName()
		if len(n.args) > 0 && named != (n.names != nil) {
			p.unexpected("all arguments or none to be named")
		}
		if named {
			n.names = append(n.names, name)
		}
		n.args = append(n.args, p.expression())
		p.afterRange = -1
	}
	return n
}

// argumentName takes "name:" if it follows; the name may have blanks.
func (p *parser) argumentName() (string, bool) {
	first := p.cur()
	if first.kind != tokName && first.kind != tokQuotedName {
		return "", false
	}
	for n := 1; ; n++ {
		switch t := p.ahead(n); {
		case t.kind == tokSymbol && t.text == ":":
			name := first.text
			for i := 1; i < n; i++ {
				name += " " + p.ahead(i).text
			}
			p.pos += n + 1
			return name, true
		case t.kind != tokName || first.kind == tokQuotedName || n > 16:
			return "", false
		}
	}
}

func (p *parser) conditional() node {
	var first, last *ifNode
	for {
		p.pos++
		n := &ifNode{cond: p.expression()}
		p.expectName("then")
		n.yes = p.expression()
		p.expectName("else")
		if last != nil {
			last.no = n
		} else {
			first = n
		}
		last = n
		if !p.isName("if") || !p.startsExpression(p.ahead(1)) {
			n.no = p.expression()
			return first
		}
	}
}

// iterated parses "x in …, y in …" and what comes after it, for which the
// names are bound, each for the iterators after it too.
func (p *parser) iterated(rest func() node) (its []iterator, body node) {
	depth := p.depth
	for {
		if p.depth++; p.depth > maxNesting {
			p.failAt(p.cur().start, "too many iterators")
		}
		t := p.cur()
		if t.kind != tokQuotedName && (t.kind != tokName || reserved[t.text]) {
			p.unexpected("a name")
		}
		p.pos++
		p.expectName("in")
		it := iterator{name: t.text}
		p.noRange = p.pos // a list in brackets may stand here, and ".." belongs to the iterator
		it.list = p.nested(p.additive)
		if p.acceptSymbol("..") {
			it.end = p.nested(p.additive)
		}
		its = append(its, it)
		p.bound[t.text]++
		if !p.acceptSymbol(",") {
			break
		}
	}
	body = rest()
	for _, it := range its {
		p.bound[it.name]--
	}
	p.depth = depth
	return its, body
}

func (p *parser) loop() node {
	p.pos++
	n := &forNode{}
	start := p.pos
	n.iterators, n.body = p.iterated(func() node {
		p.expectName("return")
		start = p.pos
		return p.bind([]string{"partial"}, p.expression)
	})
	n.partial = p.mentions("partial", start)
	return n
}

func (p *parser) quantified(some Bool) node {
	p.pos++
	n := &quantifiedNode{decides: some}
	n.iterators, n.body = p.iterated(func() node {
		p.expectName("satisfies")
		return p.expression()
	})
	return n
}

func (p *parser) function() node {
	p.pos += 2
	p.functions++
	n := &functionNode{}
	for !p.acceptSymbol(")") {
		if len(n.params) > 0 {
			p.expectSymbol(",")
		}
		n.params = append(n.params, p.parameter())
		var t *Type
		if p.acceptSymbol(":") {
			t = p.typeExpr()
		}
		n.types = append(n.types, t)
	}
	if next := p.ahead(1); p.isName("external") && next.kind == tokSymbol && next.text == "{" {
		return p.external()
	}
	n.body = p.bind(n.params, p.expression)
	return n
}

func (p *parser) parameter() string {
	t := p.cur()
	if t.kind != tokName && t.kind != tokQuotedName {
		p.unexpected("the name of a parameter")
	}
	p.pos++
	name := t.text
	for t.kind == tokName && p.cur().kind == tokName {
		name += " " + p.cur().text
		p.pos++
	}
	return name
}

// external refuses a function of Java code, if it is written correctly.
func (p *parser) external() node {
	p.pos++
	p.expression()
	err := p.problem(0, "External functions are disabled. Use the FunctionProvider SPI (recommended) or enable external function in the configuration.")
	err.Invalid = true
	panic(err)
}
