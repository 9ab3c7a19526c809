package feel

type node interface{ eval(*evaluation) Value }
type constNode struct{ value Value }

func (n *constNode) eval(*evaluation) Value { return n.value }

type frame struct{}
type evaluation struct {
	input    Value
	hasInput bool
}
type parser struct{ src string }

func newParser(s string) *parser { return &parser{s} }
func (p *parser) parseExpression() (node, error) {
	return nil, &ParseError{Source: p.src, Message: "not built yet", Line: 1, Column: 1}
}
func (p *parser) parseUnaryTests() (node, error) { return p.parseExpression() }
func (p *parser) freeNames() []string            { return sortedNames(nil) }
func run(string, *Env, func(*evaluation) Value) (Result, error) {
	return Result{}, &EvalError{Message: "not built yet"}
}
func compare(a, b Value) (int, bool) { return 0, false }
