package feel

// Function is a function value: one defined in an expression, which keeps the
// variables it was defined among, or one made by NewFunction.
type Function struct {
	params []string
	types  []*Type // of the parameters; nil for one without, and beyond its end
	body   node
	frame  *frame     // the local variables around the definition
	vars   *variables // of the evaluation that defined it
	native func(args []Value) (Value, error)
	// builtin is the name of a built-in function that is passed as a value.
	builtin string
}

// NewFunction makes a function of Go code, to be put into a scope and called
// by name. fn gets as many arguments as there are parameters, in their order;
// its error fails the evaluation (an *EvalError as it is, any other in one).
func NewFunction(params []string, fn func(args []Value) (Value, error)) *Function {
	return &Function{params: params, native: fn}
}

// NewTypedFunction is NewFunction with the types of the parameters, to which the
// arguments are made to fit; nil is any.
func NewTypedFunction(params []string, types []*Type, fn func(args []Value) (Value, error)) *Function {
	return &Function{params: params, types: types, native: fn}
}

// Kind gives KindFunction.
func (*Function) Kind() Kind { return KindFunction }

// typeOf gives the type of a parameter, nil if it has none.
func (f *Function) typeOf(i int) *Type {
	if i < len(f.types) {
		return f.types[i]
	}
	return nil
}

// Params gives the names of the parameters.
func (f *Function) Params() []string { return append([]string(nil), f.params...) }
