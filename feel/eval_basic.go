package feel

import "strings"

type constNode struct{ value Value }

func (n *constNode) eval(*evaluation) Value { return n.value }

type varNode struct{ name string }

func (n *varNode) eval(c *evaluation) Value {
	if v, ok := c.lookup(n.name); ok {
		return v
	}
	return c.warn(NoVariableFound, "No variable found with name '"+n.name+"'")
}

// inputNode is '?', the value that unary tests test.
type inputNode struct{}

func (*inputNode) eval(c *evaluation) Value {
	if !c.hasInput {
		return c.failed("No input value available. '?' can only be used inside an unary-test expression.")
	}
	return c.input
}

type listNode struct{ items []node }

func (n *listNode) eval(c *evaluation) Value {
	c.spend(len(n.items))
	l := make(List, len(n.items))
	for i, e := range n.items {
		l[i] = e.eval(c)
	}
	return l
}

type contextNode struct {
	keys   []string
	values []node
	// closes says that a function is defined inside, which must not see the
	// entries after its own.
	closes bool
}

func (n *contextNode) eval(c *evaluation) Value {
	c.spend(contextSteps * len(n.keys))
	ctx := &Context{entries: make([]Entry, 0, len(n.keys))}
	outer := c.frame
	f := &frame{ctx: ctx, parent: outer}
	for i, key := range n.keys {
		if n.closes {
			f = &frame{ctx: ctx, parent: outer}
		}
		f.visible = ctx.Len()
		c.frame = f
		ctx.Put(key, n.values[i].eval(c))
	}
	c.frame = outer
	return ctx
}

type ifNode struct{ cond, yes, no node }

func (n *ifNode) eval(c *evaluation) Value {
	for {
		cond := n.cond.eval(c)
		b, ok := cond.(Bool)
		if !ok {
			c.warn(InvalidType, "Expected boolean but found '"+c.describe(cond)+"'")
		}
		if b {
			return n.yes.eval(c)
		}
		next, ok := n.no.(*ifNode)
		if !ok {
			return n.no.eval(c)
		}
		n = next // a chain of else if
	}
}

type functionNode struct {
	params []string
	types  []*Type
	body   node
}

func (n *functionNode) eval(c *evaluation) Value {
	c.kept = true
	return &Function{params: n.params, types: n.types, body: n.body, frame: c.frame, vars: c.vars}
}

// postfixNode is an operand with the paths, filters and calls of entries after
// it. They are a list so that a long chain does not nest.
type postfixNode struct {
	base  node
	links []link
	// variable and lead are the name of the base and of the paths that follow
	// it, if it is a variable.
	variable string
	lead     []string
}

// link is one of them.
type link interface {
	apply(c *evaluation, v Value) Value
}

func newPostfix(base node, links []link) *postfixNode {
	n := &postfixNode{base: base, links: links}
	if v, ok := base.(*varNode); ok {
		n.variable = v.name
		for _, l := range links {
			path, ok := l.(*pathLink)
			if !ok {
				break
			}
			n.lead = append(n.lead, path.name)
		}
	}
	return n
}

func (n *postfixNode) eval(c *evaluation) Value {
	var v Value
	links := n.links
	if n.lead != nil {
		if v = c.decodePath(n.variable, n.lead); v != nil {
			links = links[len(n.lead):]
		}
	}
	if v == nil {
		v = n.base.eval(c)
	}
	for _, l := range links {
		v = l.apply(c, v)
	}
	return v
}

type pathLink struct{ name string }

func (n *pathLink) apply(c *evaluation, v Value) Value { return c.path(v, n.name, 0) }

// path gives an entry of a context, a property of a temporal value or range,
// or the list of these for a list.
func (c *evaluation) path(v Value, name string, depth int) Value {
	switch v := v.(type) {
	case List:
		depth = c.deeper(depth)
		c.spend(len(v))
		out := make(List, len(v))
		for i, e := range v {
			out[i] = c.path(orNull(e), name, depth)
		}
		return out
	case *Context:
		if e, ok := v.Get(name); ok {
			return e
		}
		return c.warn(NoContextEntryFound, "No context entry found with key '"+name+"'. "+availableKeys(v))
	case Null:
		return c.warn(NoContextEntryFound, "No context entry found with key '"+name+"'. The context is null")
	}
	props := properties(v)
	for _, p := range props {
		if p.name == name {
			return p.value
		}
	}
	names := make([]string, len(props))
	for i, p := range props {
		names[i] = p.name
	}
	return c.warn(NoPropertyFound, "No property found with name '"+name+"' of value '"+c.describe(v)+
		"'. Available properties: "+quotedList(names))
}

// availableKeys lists up to a hundred keys for a warning.
func availableKeys(v *Context) string {
	if v.Len() == 0 {
		return "The context is empty"
	}
	names := make([]string, 0, v.Len())
	for _, e := range v.entries[:min(v.Len(), 100)] {
		names = append(names, e.Key)
	}
	return "Available keys: " + quotedList(names)
}

func quotedList(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "'" + strings.Join(names, "', '") + "'"
}

type instanceNode struct {
	value    node
	typeName *Type
}

func (n *instanceNode) eval(c *evaluation) Value {
	v := n.value.eval(c)
	return Bool(v.Kind() != KindNull && c.includes(n.typeName, v, 0))
}

// rangeNode is an interval literal as a value.
type rangeNode struct {
	start, end                 node
	startIncluded, endIncluded bool
}

func (n *rangeNode) eval(c *evaluation) Value {
	a, b := n.start.eval(c), n.end.eval(c)
	if !isRange(a, b) {
		return c.warn(NotComparable, "Can't compare '"+c.describe(a)+"' with '"+c.describe(b)+"'")
	}
	return &Range{Start: a, End: b, StartIncluded: n.startIncluded, EndIncluded: n.endIncluded}
}

// isRange says whether two values can be the ends of a range: one may be null,
// then nothing bounds it there.
func isRange(start, end Value) bool {
	if start.Kind() == KindNull {
		start = end
	} else if end.Kind() == KindNull {
		end = start
	}
	_, ok := compare(start, end)
	return ok
}

// openRangeNode is a comparison as a value (DMN 1.3, 10.3.2.7): (< 10) is a
// range without a start.
type openRangeNode struct{ test compareTestNode }

func (n *openRangeNode) eval(c *evaluation) Value {
	v := n.test.operand.eval(c)
	if !isRange(v, v) {
		return c.warn(NotComparable, "Can't compare '"+c.describe(v)+"' with '"+c.describe(v)+"'")
	}
	switch op := n.test.op; op {
	case opLess, opLessEqual:
		return &Range{Start: null, End: v, EndIncluded: op == opLessEqual}
	case opGreater, opGreaterEqual:
		return &Range{Start: v, End: null, StartIncluded: op == opGreaterEqual}
	default:
		return &Range{Start: v, End: v, StartIncluded: op == opEqual, EndIncluded: op == opEqual}
	}
}
