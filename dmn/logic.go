package dmn

import (
	"errors"

	"github.com/grevy-io/grevy/feel"
)

// logic is a boxed expression (DMN 1.3, 10.5). rec, if it is not nil, is the
// decision it is the logic of; a decision table notes its inputs and rules there.
type logic interface {
	kind() Type
	eval(e *evaluation, vars feel.Scope, rec *Evaluated) (feel.Value, error)
}

// nullExpression stands where an expression may be left out.
var nullExpression = mustCompile("null")

func mustCompile(src string) *feel.Expression {
	e, err := feel.Compile(src)
	if err != nil {
		panic(err)
	}
	return e
}

type literalLogic struct{ expr *feel.Expression }

func (*literalLogic) kind() Type { return LiteralExpression }

func (l *literalLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	return e.run(l.expr, vars)
}

// contextLogic is a boxed context: an entry sees those before it. The value of
// an entry without a name is the value of all.
type contextLogic struct{ entries []contextEntry }

type contextEntry struct {
	name  string
	logic logic
}

func (*contextLogic) kind() Type { return ContextExpression }

func (l *contextLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	inner := layer{outer: vars, vars: map[string]feel.Value{}}
	c := feel.NewContext()
	for _, entry := range l.entries {
		v, err := entry.logic.eval(e, &inner, nil)
		if err != nil || entry.name == "" {
			return v, err
		}
		inner.vars[entry.name] = v
		c.Put(entry.name, v)
	}
	return c, nil
}

type listLogic struct{ items []logic }

func (*listLogic) kind() Type { return ListExpression }

func (l *listLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	out := make(feel.List, 0, len(l.items))
	for _, item := range l.items {
		v, err := item.eval(e, vars, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// relationLogic is a list of contexts with the same keys.
type relationLogic struct {
	columns []string
	rows    [][]logic
}

func (*relationLogic) kind() Type { return Relation }

func (l *relationLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	out := make(feel.List, 0, len(l.rows))
	for _, row := range l.rows {
		c := feel.NewContext()
		for i, cell := range row {
			v, err := cell.eval(e, vars, nil)
			if err != nil {
				return nil, err
			}
			c.Put(l.columns[i], v)
		}
		out = append(out, c)
	}
	return out, nil
}

type functionDefinition struct {
	params []string
	body   logic
}

func (*functionDefinition) kind() Type { return FunctionLogic }

func (l *functionDefinition) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	return feel.NewFunction(l.params, func(args []feel.Value) (feel.Value, error) {
		if err := e.enter(); err != nil {
			return nil, err
		}
		defer e.leave()
		inner := layer{outer: vars, vars: make(map[string]feel.Value, len(args))}
		for i, p := range l.params {
			inner.vars[p] = args[i]
		}
		return l.body.eval(e, &inner, nil)
	}), nil
}

// invocationLogic calls a knowledge model, or another function, with arguments
// by name.
type invocationLogic struct {
	name     string
	called   *feel.Expression
	bindings []contextEntry
}

func (*invocationLogic) kind() Type { return Invocation }

func (l *invocationLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	called, err := e.run(l.called, vars)
	if err != nil {
		return nil, err
	}
	f, ok := called.(*feel.Function)
	if !ok {
		return nil, e.noted(errors.New("no BKM found with name '" + l.name + "'"))
	}
	given := make(map[string]feel.Value, len(l.bindings))
	for _, b := range l.bindings {
		if given[b.name], err = b.logic.eval(e, vars, nil); err != nil {
			return nil, err
		}
	}
	var args feel.List
	for _, p := range f.Params() {
		v, ok := given[p]
		if !ok {
			return nil, e.noted(errors.New("no parameter found with name '" + p + "'"))
		}
		args = append(args, v)
	}
	return e.call(f, args)
}

// call calls a function value, which only an expression can do.
func (e *evaluation) call(f *feel.Function, args feel.List) (feel.Value, error) {
	if len(args) >= len(callExpressions) {
		return nil, e.noted(errors.New("a function has too many parameters"))
	}
	vars := layer{outer: noScope{}, vars: map[string]feel.Value{"f": f}}
	for i, a := range args {
		vars.vars[argumentNames[i]] = a
	}
	return e.run(callExpressions[len(args)], &vars)
}

type noScope struct{}

func (noScope) Lookup(string) (feel.Value, bool) { return nil, false }

// shown is what the value of the logic is for those who read it: in a boxed
// context a function is null, as in the original (in one of an expression it
// is left out).
func shown(l logic, v feel.Value) feel.Value {
	boxed, ok := l.(*contextLogic)
	c, isContext := v.(*feel.Context)
	if !ok || !isContext || boxed.hasResult() {
		return v
	}
	out := feel.NewContext()
	for _, entry := range boxed.entries {
		v, _ := c.Get(entry.name)
		if v.Kind() == feel.KindFunction {
			v = feel.Null{}
		}
		out.Put(entry.name, shown(entry.logic, v))
	}
	return out
}

func (l *contextLogic) hasResult() bool {
	return len(l.entries) > 0 && l.entries[len(l.entries)-1].name == ""
}
