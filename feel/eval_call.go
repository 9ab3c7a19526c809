package feel

import (
	"slices"
	"strconv"
	"strings"
)

// callNode calls a function: a variable or a built-in, or, as a link, an entry
// of a context.
type callNode struct {
	name  string
	args  []node
	names []string // of the arguments, if they are named

	builtin *builtin
	order   []int // the argument for each parameter of the built-in
}

// resolve finds the built-in function that takes these arguments.
func (n *callNode) resolve() {
	for _, b := range builtins[n.name] {
		for _, params := range b.params {
			if order, ok := arrange(params, len(n.args), n.names); ok {
				n.builtin, n.order = b, order
				return
			}
		}
		if b.variadic && n.names == nil && len(n.args) > 0 {
			n.builtin = b
			return
		}
	}
}

// arrange gives for each parameter the position of its argument.
func arrange(params []string, args int, names []string) ([]int, bool) {
	if len(params) != args {
		return nil, false
	}
	if names == nil {
		return nil, true
	}
	order := make([]int, len(params))
	for i, p := range params {
		at := slices.Index(names, p)
		if at < 0 {
			return nil, false
		}
		order[i] = at
	}
	return order, true
}

func (n *callNode) eval(c *evaluation) Value {
	if f := c.findFunction(n.name); f != nil {
		if v, ok := n.call(c, f); ok {
			return v
		}
	}
	if n.builtin == nil {
		n.arguments(c, nil) // for their warnings and failures
		return n.notFound(c)
	}
	return c.invokeBuiltin(n.name, n.builtin, n.arguments(c, n.order))
}

func (c *evaluation) invokeBuiltin(name string, b *builtin, args []Value) Value {
	c.spend(1)
	if v, ok := b.fn(c, args); ok {
		return v
	}
	if single, ok := ofSingletons(args); ok {
		problem := c.problem
		c.spend(1)
		if v, ok := b.fn(c, single); ok {
			c.problem = ""
			return v
		}
		c.problem = problem
	}
	return c.invocationFailed(name, args)
}

// ofSingletons gives the arguments with the value in place of a list of this one
// value (DMN 1.3, 10.3.2.9.4); it says no if none is such a list.
func ofSingletons(args []Value) ([]Value, bool) {
	single, any := slices.Clone(args), false
	for i, a := range args {
		if l, ok := a.(List); ok && len(l) == 1 && l[0].Kind() != KindList {
			single[i], any = l[0], true
		}
	}
	return single, any
}

// call calls a function value; it says no if the arguments are not those it takes.
func (n *callNode) call(c *evaluation, f *Function) (Value, bool) {
	if f.builtin != "" {
		called := callNode{name: f.builtin, args: n.args, names: n.names}
		if called.resolve(); called.builtin == nil {
			return null, false
		}
		return c.invokeBuiltin(f.builtin, called.builtin, n.arguments(c, called.order)), true
	}
	order, ok := arrange(f.params, len(n.args), n.names)
	if !ok {
		return null, false
	}
	args := n.arguments(c, order)
	for i := range args {
		at := i
		if order != nil {
			at = order[i]
		}
		if b := c.builtinValue(n.args[at]); b != nil {
			args[i] = b
		}
	}
	return c.invoke(f, args), true
}

// builtinValue gives the built-in function that an argument names, nil if it
// names none or there is a variable of the name.
func (c *evaluation) builtinValue(arg node) Value {
	v, ok := arg.(*varNode)
	if !ok || builtins[v.name] == nil {
		return nil
	}
	if _, ok := c.lookup(v.name); ok {
		return nil
	}
	return &Function{builtin: v.name}
}

// findFunction gives the function that a variable holds, nil if it holds none.
func (c *evaluation) findFunction(name string) *Function {
	v, ok := c.local(name)
	if !ok {
		if _, json := c.vars.scope.(JSONScope); json {
			return nil // JSON holds no functions and need not be decoded to know it
		}
		v, _ = c.vars.lookup(name)
	}
	f, _ := v.(*Function)
	return f
}

func (n *callNode) arguments(c *evaluation, order []int) []Value {
	args := make([]Value, len(n.args))
	for i, a := range n.args {
		args[i] = a.eval(c)
	}
	if order == nil {
		return args
	}
	arranged := make([]Value, len(args))
	for i, at := range order {
		arranged[i] = args[at]
	}
	return arranged
}

func (n *callNode) notFound(c *evaluation) Value {
	if n.names != nil {
		return c.warn(NoFunctionFound, "No function found with name '"+n.name+"' and parameters: "+strings.Join(n.names, ","))
	}
	return c.warn(NoFunctionFound, "No function found with name '"+n.name+"' and "+strconv.Itoa(len(n.args))+" parameters")
}

// apply calls a function that is an entry of a context. The original fails if
// there is no such context.
func (n *callNode) apply(c *evaluation, v Value) Value {
	ctx, ok := v.(*Context)
	if !ok {
		return c.failed("no function '%s' in '%s', which is no context", n.name, c.describe(v))
	}
	entry, _ := ctx.Get(n.name)
	if f, ok := entry.(*Function); ok {
		if v, ok := n.call(c, f); ok {
			return v
		}
	}
	return n.notFound(c)
}

// invocationFailed warns that a built-in function has no value for its arguments.
func (c *evaluation) invocationFailed(name string, args []Value) Value {
	why := c.problem
	c.problem = ""
	if why == "" {
		texts := make([]string, len(args))
		for i, a := range args {
			texts[i] = "'" + c.describe(a) + "'"
		}
		why = "Illegal arguments: " + strings.Join(texts, ", ")
	}
	return c.warn(FunctionInvocationFailure, "Failed to invoke function '"+name+"': "+why)
}

// callLink calls the function that an expression gave: f(1)(2).
type callLink struct{ call *callNode }

func (n *callLink) apply(c *evaluation, v Value) Value {
	f, ok := v.(*Function)
	if !ok {
		n.call.arguments(c, nil) // for their warnings and failures
		return c.warn(NoFunctionFound, "Expected function but found '"+c.describe(v)+"'")
	}
	r, ok := n.call.call(c, f)
	if !ok {
		n.call.arguments(c, nil)
		return c.warn(NoFunctionFound, "The function has the parameters "+strings.Join(f.params, ", "))
	}
	return r
}
