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
		if order, ok := arrange(f.params, len(n.args), n.names); ok {
			return c.invoke(f, n.arguments(c, order))
		}
	}
	if n.builtin == nil {
		n.arguments(c, nil) // for their warnings and failures
		return n.notFound(c)
	}
	c.spend(1)
	args := n.arguments(c, n.order)
	v, ok := n.builtin.fn(c, args)
	if !ok {
		return c.invocationFailed(n.name, args)
	}
	return v
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
	f, ok := entry.(*Function)
	if ok {
		if order, ok := arrange(f.params, len(n.args), n.names); ok {
			return c.invoke(f, n.arguments(c, order))
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
