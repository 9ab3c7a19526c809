package dmn

import (
	"errors"

	"github.com/grevy-io/grevy/feel"
)

// scopeCache keeps the variables of a scope, which may have to be decoded, for
// the many expressions of an evaluation.
type scopeCache struct {
	scope feel.Scope
	found map[string]feel.Value
}

// Lookup gives the variable, and whether there is one.
func (s *scopeCache) Lookup(name string) (feel.Value, bool) {
	if v, ok := s.found[name]; ok {
		return v, true
	}
	if s.scope == nil {
		return nil, false
	}
	v, ok := s.scope.Lookup(name)
	if ok {
		if s.found == nil {
			s.found = map[string]feel.Value{}
		}
		s.found[name] = v
	}
	return v, ok
}

// layer is a scope with variables of its own before those of another.
type layer struct {
	outer feel.Scope
	vars  map[string]feel.Value
}

// Lookup gives the variable, and whether there is one.
func (l *layer) Lookup(name string) (feel.Value, bool) {
	if v, ok := l.vars[name]; ok {
		return v, true
	}
	return l.outer.Lookup(name)
}

var (
	errTime  = errors.New("the evaluation takes too long")
	errLarge = errors.New("the values of the evaluation are too large")
	errMany  = errors.New("too many decisions are evaluated")
	errDeep  = errors.New("functions call each other too deeply")
)

// inTime says whether there is time for one more expression.
func (e *evaluation) inTime() error {
	if e.steps <= 0 || e.clock().After(e.deadline) {
		return e.noted(errTime)
	}
	return nil
}

// run evaluates an expression.
func (e *evaluation) run(x *feel.Expression, vars feel.Scope) (feel.Value, error) {
	if err := e.inTime(); err != nil {
		return nil, err
	}
	r, err := x.Eval(&feel.Env{Scope: vars, Now: e.now, MaxSteps: e.steps, Types: e.types})
	e.spend(&r)
	return r.Value, e.noted(err)
}

// spend takes the work of an expression off what may still be done.
func (e *evaluation) spend(r *feel.Result) { e.steps -= r.Steps + 1 }

// noted keeps the first failure. If an expression calls a function that fails,
// feel tells the failure as one of the outer expression.
func (e *evaluation) noted(err error) error {
	if err == nil {
		return nil
	}
	if e.failure == nil {
		e.failure = err
	}
	return e.failure
}

// enter and leave bound how deep functions call each other: each call is an
// evaluation of its own to feel.
func (e *evaluation) enter() error {
	if e.calls == maxCalls {
		return e.noted(errDeep)
	}
	e.calls++
	return nil
}

func (e *evaluation) leave() { e.calls-- }

// weighRecord takes the room for what will stand in the log.
func (e *evaluation) weighRecord(r *Evaluated) error {
	if len(e.log) >= maxEvaluated {
		return e.noted(errMany)
	}
	e.weigh(r.Output, 0)
	for _, in := range r.Inputs {
		e.weigh(in.Value, 0)
	}
	for _, rule := range r.Rules {
		for _, out := range rule.Outputs {
			e.weigh(out.Value, 0)
		}
	}
	if e.room < 0 {
		return e.noted(errLarge)
	}
	return nil
}

const (
	bytesPerValue = 64   // of a text
	maxNesting    = 1000 // of a value
)

func (e *evaluation) weigh(v feel.Value, depth int) {
	if e.room--; depth > maxNesting {
		e.room = -1
	}
	if e.room < 0 {
		return
	}
	switch v := v.(type) {
	case feel.String:
		e.room -= len(v) / bytesPerValue
	case feel.List:
		for _, x := range v {
			e.weigh(x, depth+1)
		}
	case *feel.Context:
		for _, x := range v.Entries() {
			e.weigh(x.Value, depth+1)
		}
	}
}
