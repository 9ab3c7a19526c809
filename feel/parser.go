package feel

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxSource bounds the length of an expression in bytes.
	maxSource = 1 << 20
	// maxNesting bounds how deep the parts of an expression may be nested, and
	// with it the stack that parsing and evaluating it can take.
	maxNesting = 500
)

// parser is a recursive descent parser. Chains of operators, of paths and of
// else-ifs do not nest. The first problem ends the parsing by a panic with a
// *ParseError, which parse recovers.
type parser struct {
	src    string
	tokens []token
	pos    int
	depth  int
	// noRange is the position of a token at which no range may begin.
	noRange int
	// testStart is the position of the token a test starts at. If a range does,
	// it is the test: at afterRange, behind it, no operator may follow.
	testStart, afterRange int
	// inRangeEnd says that a '[' may close a range: ]1..3[.
	inRangeEnd bool
	mentioned  map[string]int // the last position of names that are kept track of
	functions  int            // how many were defined so far
	bound      map[string]int // local names that can be seen, and how often they are bound
	free       map[string]bool
}

func newParser(src string) *parser {
	return &parser{src: src, afterRange: -1, noRange: -1, testStart: -1, bound: map[string]int{}, mentioned: map[string]int{}, free: map[string]bool{}}
}

func (p *parser) freeNames() []string { return sortedNames(p.free) }

// parse lexes the source and runs the rule, which must take all of it.
func (p *parser) parse(rule func() node) (n node, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *ParseError:
			n, err = nil, r
		default:
			panic(r)
		}
	}()
	if len(p.src) > maxSource {
		p.failAt(0, "the expression is too long")
	}
	p.tokens = lex(p.src)
	n = rule()
	if p.cur().kind != tokEnd {
		p.unexpected("an operator or the end")
	}
	return n, nil
}

// parseExpression parses the source as an expression. A range alone is a unary
// test in the original: it is null for want of an input.
func (p *parser) parseExpression() (node, error) {
	return p.parse(func() node {
		n := p.expression()
		if r, ok := n.(*rangeNode); ok {
			return &rangeTestNode{*r}
		}
		return n
	})
}

func (p *parser) cur() token { return p.tokens[p.pos] }

// ahead gives the token n after the current one.
func (p *parser) ahead(n int) token { return p.tokens[min(p.pos+n, len(p.tokens)-1)] }

func (p *parser) isSymbol(s string) bool { t := p.cur(); return t.kind == tokSymbol && t.text == s }

func (p *parser) isName(s string) bool { t := p.cur(); return t.kind == tokName && t.text == s }

func (p *parser) acceptSymbol(s string) bool {
	if p.isSymbol(s) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) acceptName(s string) bool {
	if p.isName(s) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expectSymbol(s string) {
	if !p.acceptSymbol(s) {
		p.unexpected("'" + s + "'")
	}
}

func (p *parser) expectName(s string) {
	if !p.acceptName(s) {
		p.unexpected("'" + s + "'")
	}
}

func (p *parser) unexpected(expected string) {
	t := p.cur()
	found := t.text
	switch t.kind {
	case tokBad:
		p.misread(t.start, t.text)
	case tokString:
		found = "a string"
	case tokSymbol, tokName, tokNumber:
		found = "'" + found + "'"
	case tokQuotedName:
		found = "'`" + found + "`'"
	}
	p.misread(t.start, "expected "+expected+" but found "+found)
}

// misread is failAt for what is not of the language.
func (p *parser) misread(offset int, message string) {
	err := p.problem(offset, message)
	err.misread = true
	panic(err)
}

func (p *parser) failAt(offset int, message string) { panic(p.problem(offset, message)) }

func (p *parser) problem(offset int, message string) *ParseError {
	before := p.src[:offset]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &ParseError{
		Source: p.src, Offset: offset, Message: message,
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[lineStart:]),
	}
}

// nested runs a rule one level deeper.
func (p *parser) nested(rule func() node) node {
	if p.depth++; p.depth > maxNesting {
		p.failAt(p.cur().start, "the expression is nested too deeply")
	}
	n := rule()
	p.depth--
	return n
}

// bind makes names visible while the rule runs.
func (p *parser) bind(names []string, rule func() node) node {
	for _, name := range names {
		p.bound[name]++
	}
	n := rule()
	for _, name := range names {
		p.bound[name]--
	}
	return n
}

// mentions says whether a variable of the name was asked for since a position.
func (p *parser) mentions(name string, since int) bool { return p.mentioned[name] > since }

// use notes that a name is asked for.
func (p *parser) use(name string) {
	p.mentioned[name] = p.pos
	if p.bound[name] == 0 {
		p.free[name] = true
	}
}

// expression parses any expression, as the last resort a comparison with the
// input or a range.
func (p *parser) expression() node {
	outer := p.inRangeEnd
	p.inRangeEnd = false
	n := p.nested(p.expressionHere)
	p.inRangeEnd = outer
	return n
}

func (p *parser) expressionHere() node {
	if op, ok := p.testOperator(); ok {
		return &compareTestNode{op, p.additive()}
	}
	return p.disjunction()
}

// testOperator takes an operator that begins a test: < <= > >=.
func (p *parser) testOperator() (operator, bool) {
	if p.cur().kind == tokSymbol {
		if op, ok := comparisons[p.cur().text]; ok && op >= opLess {
			p.pos++
			return op, true
		}
	}
	return 0, false
}

var comparisons = map[string]operator{
	"=": opEqual, "!=": opNotEqual, "<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual,
}

func (p *parser) disjunction() node { return p.logic("or", true, p.conjunction) }

func (p *parser) conjunction() node { return p.logic("and", false, p.comparison) }

func (p *parser) logic(word string, decides Bool, operand func() node) node {
	first := operand()
	if !p.isName(word) || p.pos == p.afterRange {
		return first
	}
	n := &logicNode{operands: []node{first}, decides: decides}
	for p.acceptName(word) {
		n.operands = append(n.operands, operand())
	}
	return n
}

func (p *parser) comparison() node {
	left := p.additive()
	if p.pos == p.afterRange {
		return left
	}
	switch t := p.cur(); {
	case t.kind == tokSymbol:
		if op, ok := comparisons[t.text]; ok {
			p.pos++
			return &compareNode{op, asRangeValue(left), asRangeValue(p.additive())}
		}
	case p.acceptName("between"):
		low := p.additive()
		p.expectName("and")
		return &betweenNode{left, low, p.additive()}
	case p.acceptName("in"):
		return &inNode{left, p.inTests()}
	case p.isName("instance"):
		p.pos++
		p.expectName("of")
		return &instanceNode{asRangeValue(left), p.typeExpr()}
	}
	return left
}

// acceptPhrase takes names that make up the phrase, if all of them are there.
func (p *parser) acceptPhrase(phrase string) bool {
	words := strings.Split(phrase, " ")
	for i, w := range words {
		if t := p.ahead(i); t.kind != tokName || t.text != w {
			return false
		}
	}
	p.pos += len(words)
	return true
}

func (p *parser) additive() node { return p.chain(p.multiplicative, '+', '-') }

func (p *parser) multiplicative() node { return p.chain(p.power, '*', '/') }

func (p *parser) power() node { return p.chain(p.negation, '^', '^') }

// chain parses operands with operators of one precedence between them, to be
// applied from the left; '^' stands for "**".
func (p *parser) chain(operand func() node, op1, op2 byte) node {
	first := operand()
	if p.pos == p.afterRange {
		return first
	}
	var n *chainNode
	for p.cur().kind == tokSymbol {
		op := p.cur().text[0]
		switch p.cur().text {
		case "**":
			op = '^'
		case "+", "-", "*", "/":
		default:
			op = 0
		}
		if op != op1 && op != op2 {
			break
		}
		p.pos++
		if n == nil {
			n = &chainNode{first: first}
		}
		n.ops = append(n.ops, op)
		n.rest = append(n.rest, operand())
	}
	if n == nil {
		return first
	}
	return n
}

// negation binds closer than any operator: -2**2 is 4, as in the original.
func (p *parser) negation() node {
	if !p.acceptSymbol("-") {
		return p.postfix()
	}
	operand := p.nested(p.negation)
	if c, ok := operand.(*constNode); ok {
		if n, ok := c.value.(Number); ok {
			return &constNode{n.neg()}
		}
	}
	return &negateNode{operand}
}
