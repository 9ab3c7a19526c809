package feel

// UnaryTests is a compiled cell of a decision table. It is immutable and safe
// for concurrent use.
type UnaryTests struct {
	source string
	root   node
	vars   []string
}

// CompileUnaryTests compiles the tests of a decision table's cell: "-", a list
// of values, comparisons and ranges, or not(…) of one. The error is a
// *ParseError.
func CompileUnaryTests(src string) (*UnaryTests, error) {
	p := newParser(src)
	root, err := p.parseUnaryTests()
	if err != nil {
		return nil, err
	}
	return &UnaryTests{source: src, root: root, vars: p.freeNames()}, nil
}

// Source gives the tests as written.
func (t *UnaryTests) Source() string { return t.source }

// Variables gives the names of the variables the tests may ask for, sorted.
func (t *UnaryTests) Variables() []string { return append([]string(nil), t.vars...) }

// Eval tests the input: the value of the Result is true if one of the tests is
// fulfilled, and false or null if none is.
func (t *UnaryTests) Eval(input Value, env *Env) (Result, error) {
	return run(t.source, t.root, env, orNull(input))
}
