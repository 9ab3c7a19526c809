package feel

// Function is a function value: one defined in an expression, which keeps the
// variables it was defined among, or one made by NewFunction.
type Function struct {
	params []string
	body   node
	frame  *frame     // the local variables around the definition
	vars   *variables // of the evaluation that defined it
	native func(args []Value) (Value, error)
}

// NewFunction makes a function of Go code, to be put into a scope and called
// by name. fn gets as many arguments as there are parameters, in their order;
// its error fails the evaluation (an *EvalError as it is, any other in one).
func NewFunction(params []string, fn func(args []Value) (Value, error)) *Function {
	return &Function{params: params, native: fn}
}

// Kind gives KindFunction.
func (*Function) Kind() Kind { return KindFunction }

// Params gives the names of the parameters.
func (f *Function) Params() []string { return append([]string(nil), f.params...) }
