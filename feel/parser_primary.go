package feel

import "strings"

// reserved are the words that cannot be the name of a variable.
var reserved = map[string]bool{
	"null": true, "true": true, "false": true, "function": true, "in": true, "return": true,
	"then": true, "else": true, "satisfies": true, "and": true, "or": true,
}

// postfix parses an operand with the paths and filters after it.
func (p *parser) postfix() node {
	n := p.primary()
	if p.pos == p.afterRange {
		return n
	}
	_, isPath := n.(*varNode)
	mayBeCalled := p.tokens[p.pos-1].kind == tokSymbol && p.tokens[p.pos-1].text == ")"
	var links []link
	for {
		switch {
		case mayBeCalled && p.isSymbol("("):
			p.pos++
			links = append(links, &callLink{p.arguments(&callNode{})})
			continue
		case p.isSymbol("."):
			p.pos++
			if isPath {
				if name, ok := p.callName(); ok {
					links, isPath, mayBeCalled = append(links, p.arguments(&callNode{name: name})), false, true
					continue
				}
			}
			links, mayBeCalled = append(links, &pathLink{p.pathName()}), false
		case p.isSymbol("[") && !(p.inRangeEnd && !p.startsExpression(p.ahead(1))):
			p.pos++
			links, isPath, mayBeCalled = append(links, p.filter()), false, true
		case links == nil:
			return n
		default:
			return newPostfix(asRangeValue(n), links)
		}
	}
}

// pathName parses the name after a dot. Of names with blanks only properties
// can stand without backticks.
func (p *parser) pathName() string {
	for _, phrase := range []string{"time offset", "start included", "end included"} {
		if p.acceptPhrase(phrase) {
			return phrase
		}
	}
	t := p.cur()
	if t.kind != tokQuotedName && (t.kind != tokName || reserved[t.text]) {
		p.unexpected("a name")
	}
	p.pos++
	return t.text
}

func (p *parser) filter() link {
	cond := p.bind([]string{"item"}, p.expression)
	p.expectSymbol("]")
	return newFilter(cond)
}

func (p *parser) primary() node {
	t := p.cur()
	switch t.kind {
	case tokNumber:
		p.pos++
		n, ok := parseDecimal([]byte(t.text))
		if !ok {
			p.failAt(t.start, "the number is out of range")
		}
		return &constNode{n}
	case tokString:
		p.pos++
		return &constNode{String(t.text)}
	case tokSymbol:
		return p.symbolPrimary(t)
	case tokName:
		return p.namePrimary(t)
	case tokQuotedName:
		return p.nameOrCall()
	}
	p.unexpected("an expression")
	return nil
}

func (p *parser) symbolPrimary(t token) node {
	start := p.pos
	p.pos++
	switch t.text {
	case "(":
		return p.parenthesis(start)
	case "[":
		return p.list(start)
	case "]":
		if start != p.noRange {
			return p.rangeFrom(start, p.additive(), false)
		}
	case "{":
		return p.context()
	case "?":
		return &inputNode{}
	case "@":
		return p.atLiteral()
	}
	p.pos--
	p.unexpected("an expression")
	return nil
}

func (p *parser) parenthesis(start int) node {
	if p.isSymbol("=") || p.isSymbol("!=") { // (= 5) is a range of one value
		op := comparisons[p.cur().text]
		p.pos++
		n := &compareTestNode{op, p.additive()}
		p.expectSymbol(")")
		return n
	}
	n := p.expression()
	if start != p.noRange && p.isSymbol("..") {
		return p.rangeFrom(start, n, false)
	}
	p.expectSymbol(")")
	return n
}

func (p *parser) list(start int) node {
	if p.acceptSymbol("]") {
		return &constNode{List{}}
	}
	n := &listNode{items: []node{p.expression()}}
	if start != p.noRange && p.isSymbol("..") {
		return p.rangeFrom(start, n.items[0], true)
	}
	for p.acceptSymbol(",") {
		n.items = append(n.items, p.expression())
	}
	p.expectSymbol("]")
	return n.folded()
}

// folded makes a list of constants a constant.
func (n *listNode) folded() node {
	l := make(List, len(n.items))
	for i, item := range n.items {
		c, ok := item.(*constNode)
		if !ok {
			return n
		}
		l[i] = c.value
	}
	return &constNode{l}
}

func (p *parser) context() node {
	n := &contextNode{}
	if p.acceptSymbol("}") {
		return n
	}
	functions := p.functions
	for {
		key := p.key()
		n.keys = append(n.keys, key)
		n.values = append(n.values, p.expression())
		p.bound[key]++
		if !p.acceptSymbol(",") {
			break
		}
	}
	for _, key := range n.keys {
		p.bound[key]--
	}
	n.closes = p.functions > functions
	p.expectSymbol("}")
	return n
}

// key parses the name of a context entry and the colon after it. It may have
// blanks and the symbols + - * / . in it.
func (p *parser) key() string {
	t := p.cur()
	last := t
	switch t.kind {
	case tokString, tokQuotedName:
		p.pos++
		p.expectSymbol(":")
		return t.text
	}
	for !p.isSymbol(":") {
		last = p.cur()
		isOther := last.kind == tokSymbol && (len(last.text) > 1 || !strings.Contains("+-*/.", last.text))
		if last.kind != tokName && last.kind != tokNumber && last.kind != tokSymbol || isOther {
			p.unexpected("the name of an entry and ':'")
		}
		p.pos++
	}
	if last.end == t.start || p.cur().start == t.start {
		p.unexpected("the name of an entry")
	}
	p.pos++
	return p.src[t.start:last.end]
}

// atLiteral parses a temporal value: @"2020-01-02". A text that is none is null.
func (p *parser) atLiteral() node {
	t := p.cur()
	if t.kind != tokString {
		p.unexpected("a string")
	}
	p.pos++
	return &constNode{parseTemporal(t.text)}
}

// parseTemporal gives the temporal value that the text is, or null.
func parseTemporal(s string) Value {
	if d, ok := ParseDate(s); ok {
		return d
	}
	if t, ok := ParseTime(s); ok {
		return t
	}
	if t, ok := ParseDateTime(s); ok {
		return t
	}
	if d, ok := ParseYearsMonthsDuration(s); ok {
		return d
	}
	if d, ok := ParseDaysTimeDuration(s); ok {
		return d
	}
	return null
}
