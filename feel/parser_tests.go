package feel

// parseUnaryTests parses the source as the tests of a decision table's cell.
func (p *parser) parseUnaryTests() (node, error) { return p.parse(p.unaryTests) }

func (p *parser) unaryTests() node {
	if p.isSymbol("-") && p.ahead(1).kind == tokEnd {
		p.pos++
		return &constNode{Bool(true)}
	}
	if p.isName("not") && p.ahead(1).kind == tokSymbol && p.ahead(1).text == "(" {
		p.pos += 2
		tests := p.positiveTests()
		p.expectSymbol(")")
		return &notTestNode{tests}
	}
	return p.positiveTests()
}

func (p *parser) positiveTests() node {
	first := p.positiveTest()
	if !p.isSymbol(",") {
		return first
	}
	n := &anyTestNode{tests: []node{first}}
	for p.acceptSymbol(",") {
		n.tests = append(n.tests, p.positiveTest())
	}
	return n
}

func (p *parser) positiveTest() node {
	p.testStart = p.pos
	return asTest(p.expression())
}

// asTest makes a test of an expression that is none yet.
func asTest(n node) node {
	switch n := n.(type) {
	case *compareTestNode, *rangeTestNode, *anyTestNode:
		return n
	case *rangeNode:
		return &rangeTestNode{*n}
	}
	return &valueTestNode{n}
}

// inTests parses what may follow "in": a test, or several in parentheses.
func (p *parser) inTests() node {
	if !p.isSymbol("(") {
		return p.inTest()
	}
	p.pos++
	first := p.positiveTest()
	switch {
	case p.isSymbol(".."):
		v, ok := first.(*valueTestNode)
		if !ok {
			p.unexpected("')'")
		}
		return &rangeTestNode{*p.rangeFrom(-1, v.expr, false)}
	case p.isSymbol(","):
		n := &anyTestNode{tests: []node{first}}
		for p.acceptSymbol(",") {
			n.tests = append(n.tests, p.positiveTest())
		}
		first = n
	}
	p.expectSymbol(")")
	p.afterRange = -1
	return first
}

// inTest parses one test without parentheses. A value there is a whole
// expression, with and and or, as in the original: x in [1] and y tests
// whether x is [1] and y.
func (p *parser) inTest() node {
	n := p.positiveTest()
	p.afterRange = -1 // the range is an operand of "in", other operators may follow
	return n
}

// asRangeValue makes a range of a comparison in parentheses that is no test but
// an operand: (< 10).end.
func asRangeValue(n node) node {
	if t, ok := n.(*compareTestNode); ok {
		return &openRangeNode{*t}
	}
	return n
}

// rangeFrom parses a range from its ".." on; at is where it began.
func (p *parser) rangeFrom(at int, start node, included bool) *rangeNode {
	p.expectSymbol("..")
	outer := p.inRangeEnd
	p.inRangeEnd = true
	r := &rangeNode{start: start, end: p.additive(), startIncluded: included}
	p.inRangeEnd = outer
	switch {
	case p.acceptSymbol("]"):
		r.endIncluded = true
	case p.acceptSymbol(")"), p.acceptSymbol("["):
	default:
		p.unexpected("the end of a range")
	}
	if at == p.testStart && at >= 0 {
		p.afterRange = p.pos
	}
	return r
}

// rangeLiteral parses a range with literals as ends, one of which may be
// missing where it is not included.
func (p *parser) rangeLiteral() node {
	r := &rangeNode{start: &constNode{null}, end: &constNode{null}}
	switch {
	case p.acceptSymbol("["):
		r.startIncluded = true
	case p.acceptSymbol("("), p.acceptSymbol("]"):
	default:
		p.unexpected("the start of a range")
	}
	if !p.isSymbol("..") || r.startIncluded {
		r.start = p.endLiteral()
	}
	p.expectSymbol("..")
	if !p.isSymbol(")") && !p.isSymbol("[") {
		r.end = p.endLiteral()
	}
	switch {
	case p.acceptSymbol("]"):
		r.endIncluded = true
	case p.acceptSymbol(")"), p.acceptSymbol("["):
	default:
		p.unexpected("the end of a range")
	}
	return r
}

// endLiteral parses a number, a text, a temporal value, or one of the functions
// that make a temporal value of literals.
func (p *parser) endLiteral() node {
	start := p.cur()
	p.inRangeEnd = true
	n := p.negation()
	p.inRangeEnd = false
	if call, ok := n.(*callNode); ok {
		for _, a := range call.args {
			if _, literal := a.(*constNode); !literal {
				p.misread(start.start, "the end of a range is no literal")
			}
		}
		if temporalNames[call.name] {
			return n
		}
	} else if _, literal := n.(*constNode); literal {
		return n
	}
	p.misread(start.start, "the end of a range is no literal")
	return nil
}

var temporalNames = map[string]bool{"date": true, "time": true, "date and time": true, "duration": true}
