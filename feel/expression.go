package feel

import (
	"errors"
	"sort"
	"strings"
	"time"
)

// Scope gives the variables an expression can see.
type Scope interface {
	// Lookup gives the value of the variable, and whether there is one.
	Lookup(name string) (Value, bool)
}

// Env is what an evaluation gets from outside. A nil Env has no variables.
type Env struct {
	// Scope holds the variables; nil has none.
	Scope Scope
	// Now gives the time for now() and today(), and is called by nothing
	// else; nil is time.Now.
	Now func() time.Time
	// Zone is the zone of now() and today(); nil is UTC.
	Zone *time.Location
	// Random gives a number in [0,1) for random number(); nil is math/rand.
	Random func() float64
	// UUID gives a text for uuid(); nil makes a random one (version 4).
	UUID func() string
	// Types are the types that expressions know beside those of the language,
	// by name.
	Types map[string]*Type
	// MaxSteps bounds the work of one evaluation, counted in elements and
	// calls; 0 is DefaultMaxSteps.
	MaxSteps int
}

// Result is the outcome of an evaluation.
type Result struct {
	Value    Value
	Warnings []Warning // in the order they arose, at most a hundred
	Steps    int       // the work that was done, also by an evaluation that failed
}

// Expression is a compiled expression. It is immutable and safe for
// concurrent use.
type Expression struct {
	source   string
	root     node
	isStatic bool
	vars     []string
}

// Compile compiles a FEEL expression, without a leading '='. The error is a
// *ParseError.
func Compile(src string) (*Expression, error) {
	p := newParser(src)
	root, err := p.parseExpression()
	if err != nil {
		var parse *ParseError
		if errors.As(err, &parse) {
			parse.expression = true
		}
		return nil, err
	}
	return &Expression{source: src, root: root, vars: p.freeNames()}, nil
}

// CompileField compiles an attribute of a Zeebe model: after a leading '='
// (blanks may stand before it) an expression, anything else, and a lone "=",
// is a static text.
func CompileField(src string) (*Expression, error) {
	if t := strings.TrimLeft(src, " \t\r\n"); len(t) > 1 && t[0] == '=' {
		return Compile(t[1:]) // blanks stay: the original shows them in its texts
	}
	return &Expression{source: src, root: &constNode{String(src)}, isStatic: true}, nil
}

// Source gives the expression as written, without the '='.
func (e *Expression) Source() string { return e.source }

// IsStatic says whether it was compiled from a static text.
func (e *Expression) IsStatic() bool { return e.isStatic }

// Static gives the static text, "" for an expression.
func (e *Expression) Static() string {
	if e.isStatic {
		return e.source
	}
	return ""
}

// Variables gives the names of the variables the expression may ask its scope
// for, sorted. Names in a filter may be entries of the filtered elements as
// well; they are among them.
func (e *Expression) Variables() []string { return append([]string(nil), e.vars...) }

// Eval evaluates the expression. Problems give null and a warning; the error
// is an *EvalError for an assert that fails, a limit that is passed, and the
// few operations that fail in the original too.
func (e *Expression) Eval(env *Env) (Result, error) {
	if c, ok := e.root.(*constNode); ok {
		return Result{Value: c.value}, nil
	}
	return run(e.source, e.root, env, nil)
}

func sortedNames(set map[string]bool) []string {
	if len(set) == 0 {
		return nil
	}
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
