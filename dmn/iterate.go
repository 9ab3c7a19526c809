package dmn

import (
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// conditionalLogic is a boxed if (DMN 1.4, 10.2.2.8). What is not true is else.
type conditionalLogic struct{ cond, yes, no logic }

func (*conditionalLogic) kind() Type { return Conditional }

func (l *conditionalLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	v, err := l.cond.eval(e, vars, nil)
	if err != nil {
		return nil, err
	}
	if v == feel.Value(feel.Bool(true)) {
		return l.yes.eval(e, vars, nil)
	}
	return l.no.eval(e, vars, nil)
}

// iteratorLogic is a boxed for, some or every (DMN 1.4, 10.2.2.9): body sees each
// element of a list, and the results before its own.
type iteratorLogic struct {
	of       Type
	variable string
	list     logic
	body     logic
}

func (l *iteratorLogic) kind() Type { return l.of }

func (l *iteratorLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	results := feel.List{}
	_, err := e.elements(l.list, vars, func(v feel.Value) error {
		inner := layer{outer: vars, vars: map[string]feel.Value{l.variable: v}}
		if l.of == ForLoop {
			inner.vars["partial"] = results[:len(results):len(results)]
		}
		r, err := l.body.eval(e, &inner, nil)
		results = append(results, r)
		return err
	})
	if err != nil || l.of == ForLoop {
		return results, err
	}
	return decided3(results, l.of == SomeOf), nil
}

// decided3 is a disjunction or a conjunction in three values.
func decided3(results feel.List, decides bool) feel.Value {
	unknown := false
	for _, r := range results {
		b, ok := r.(feel.Bool)
		if ok && bool(b) == decides {
			return b
		}
		unknown = unknown || !ok
	}
	if unknown {
		return feel.Null{}
	}
	return feel.Bool(!decides)
}

// filterLogic is a boxed filter (DMN 1.4, 10.2.2.10): the elements of a list for
// which the condition is true, or the one at a position. The condition sees the
// element as item, and the entries of one that is a context.
type filterLogic struct{ list, match logic }

func (*filterLogic) kind() Type { return Filter }

func (l *filterLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	out := feel.List{}
	all, err := e.elements(l.list, vars, func(v feel.Value) error {
		inner := layer{outer: vars, vars: map[string]feel.Value{"item": v}}
		if c, ok := v.(*feel.Context); ok {
			inner.vars = make(map[string]feel.Value, c.Len()+1)
			inner.vars["item"] = v
			for _, entry := range c.Entries() {
				inner.vars[entry.Key] = entry.Value
			}
		}
		m, err := l.match.eval(e, &inner, nil)
		if err != nil {
			return err
		}
		if position, ok := m.(feel.Number); ok {
			return &positioned{position}
		}
		if m == feel.Value(feel.Bool(true)) {
			out = append(out, v)
		}
		return nil
	})
	if p, ok := err.(*positioned); ok {
		return e.on(indexExpression, all, p.at)
	}
	return out, err
}

// positioned ends the filtering of a list: the filter is a position.
type positioned struct{ at feel.Number }

func (*positioned) Error() string { return "the filter is a position" }

// elements visits the elements of the list that the logic gives, a value that is
// no list being a list of itself, and gives them all.
func (e *evaluation) elements(list logic, vars feel.Scope, visit func(feel.Value) error) (feel.List, error) {
	v, err := list.eval(e, vars, nil)
	if err != nil {
		return nil, err
	}
	l, ok := v.(feel.List)
	if !ok && v.Kind() != feel.KindNull {
		l = feel.List{v}
	}
	for _, v := range l {
		if v == nil {
			v = feel.Null{}
		}
		if err := e.inTime(); err != nil {
			return nil, err
		}
		if err := visit(v); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (b *builder) conditional(n *node) logic {
	return &conditionalLogic{b.onlyLogic(n.child("if")), b.onlyLogic(n.child("then")), b.onlyLogic(n.child("else"))}
}

func (b *builder) filter(n *node) logic {
	return &filterLogic{b.onlyLogic(n.child("in")), b.onlyLogic(n.child("match"))}
}

func (b *builder) loop(n *node) logic { return b.iterator(n, ForLoop, "return") }

func (b *builder) quantified(n *node) logic {
	return b.iterator(n, Type(strings.ToUpper(n.name)), "satisfies")
}

func (b *builder) iterator(n *node, of Type, body string) logic {
	return &iteratorLogic{of, normalName(n.attr("iteratorVariable")), b.onlyLogic(n.child("in")), b.onlyLogic(n.child(body))}
}
