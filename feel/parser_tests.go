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

func (p *parser) positiveTest() node { return asTest(p.expression()) }

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
		r := p.rangeFrom(v.expr, false)
		return &rangeTestNode{*r}
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

// rangeFrom parses a range from its ".." on.
func (p *parser) rangeFrom(start node, included bool) *rangeNode {
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
	p.afterRange = p.pos
	return r
}
