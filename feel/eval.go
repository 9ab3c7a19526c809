package feel

import (
	"errors"
	"fmt"
	"sync"
)

const (
	// DefaultMaxSteps is the work one evaluation may do: about a second of it.
	DefaultMaxSteps = 2_000_000
	maxWarnings     = 100
	maxCallDepth    = 100
	maxValueDepth   = 1000
	maxTextLength   = 16 << 20
	// bytesPerStep converts the length of texts into steps, so that the
	// memory an evaluation can fill is bounded too.
	bytesPerStep = 16
	// contextSteps is what an entry of a context costs: it takes that much
	// more memory than an element of a list.
	contextSteps = 4
	// cacheText is the length from which texts of the scope are kept.
	cacheText = 64
)

// node is a part of a compiled expression.
type node interface {
	eval(c *evaluation) Value
}

// evaluation is the state of one evaluation.
type evaluation struct {
	env      *Env
	vars     *variables
	own      variables // what vars is outside of functions from elsewhere
	frame    *frame    // the innermost local variable
	steps    int       // left
	calls    int       // calls of functions we are inside of
	input    Value     // what unary tests test
	hasInput bool
	problem  string // why the built-in function that just ran has no value
	warnings []Warning
	kept     bool // a function was made that refers to this
}

// variables is the scope of an evaluation, with the variables that it might
// have to decode again.
type variables struct {
	scope   Scope
	cache   []Entry
	scanned string // the variable of which a part was decoded last
}

// frame is a local variable, or, if ctx is set, a context whose entries are
// variables.
type frame struct {
	name    string
	value   Value
	ctx     *Context
	visible int // how many entries of ctx can be seen, from the first
	parent  *frame
}

// abort carries an *EvalError from where an evaluation fails up to run. It is
// a panic so that each step of a plain evaluation need not ask for errors.
type abort struct{ err *EvalError }

// evaluations keeps evaluations to use again; most expressions are so short
// that making one is a good part of the work.
var evaluations = sync.Pool{New: func() any { return new(evaluation) }}

var noEnv Env

// run evaluates an expression, or tests of the input if it is not nil.
func run(source string, root node, env *Env, input Value) (res Result, err error) {
	if env == nil {
		env = &noEnv
	}
	c := evaluations.Get().(*evaluation)
	c.env, c.own.scope, c.vars = env, env.Scope, &c.own
	c.input, c.hasInput = input, input != nil
	most := env.MaxSteps
	if most <= 0 {
		most = DefaultMaxSteps
	}
	c.steps = most
	defer func() {
		if p := recover(); p != nil {
			a, ok := p.(abort)
			if !ok {
				panic(p)
			}
			failure := *a.err
			failure.Source = source
			res, err = Result{Value: null, Warnings: c.warnings, Steps: most - c.steps}, &failure
		}
		if !c.kept {
			*c = evaluation{}
			evaluations.Put(c)
		}
	}()
	v := root.eval(c)
	c.checkSize(v, 0)
	return Result{Value: v, Warnings: c.warnings, Steps: most - c.steps}, nil
}

// checkSize fails the evaluation if a result is too deep or, its parts being
// shared, would be too large when written out.
func (c *evaluation) checkSize(v Value, depth int) {
	switch v := v.(type) {
	case List:
		depth = c.deeper(depth)
		for _, e := range v {
			c.checkSize(e, depth)
		}
	case *Context:
		depth = c.deeper(depth)
		for _, e := range v.entries {
			c.checkSize(e.Value, depth)
		}
	case String:
		c.spend(1 + len(v)/(4*bytesPerStep))
	default:
		c.spend(1)
	}
}

func (c *evaluation) fail(kind FailureKind, message string) {
	panic(abort{&EvalError{Kind: kind, Message: message}})
}

func (c *evaluation) exceed(message string) { c.fail(LimitExceeded, message) }

// failed ends the evaluation where the original ends in an exception.
func (c *evaluation) failed(format string, args ...any) Value {
	c.fail(Failed, fmt.Sprintf(format, args...))
	return null
}

func (c *evaluation) spend(steps int) {
	if c.steps -= steps; c.steps < 0 {
		c.exceed("the evaluation takes too many steps")
	}
}

// newText accounts for a text that was made.
func (c *evaluation) newText(s string) String {
	if len(s) > maxTextLength {
		c.exceed("a text is too long")
	}
	c.spend(len(s) / bytesPerStep)
	return String(s)
}

// warn notes why a value is null, and gives null.
func (c *evaluation) warn(t WarningType, message string) Value {
	if len(c.warnings) < maxWarnings {
		c.warnings = append(c.warnings, Warning{t, message})
	}
	return null
}

// local gives the innermost local variable of the name.
func (c *evaluation) local(name string) (Value, bool) {
	for f := c.frame; f != nil; f = f.parent {
		if f.ctx != nil {
			if i := f.ctx.find(name); i >= 0 && i < f.visible {
				return f.ctx.entries[i].Value, true
			}
		} else if f.name == name {
			return f.value, true
		}
	}
	return null, false
}

// lookup gives the variable, the innermost if there are several.
func (c *evaluation) lookup(name string) (Value, bool) {
	if c.frame != nil {
		if v, ok := c.local(name); ok {
			return v, true
		}
	}
	return c.vars.lookup(name)
}

func (s *variables) lookup(name string) (Value, bool) {
	if s.scope == nil {
		return null, false
	}
	for i := range s.cache {
		if s.cache[i].Key == name {
			return s.cache[i].Value, true
		}
	}
	v, ok := s.scope.Lookup(name)
	if !ok {
		return null, false
	}
	s.keep(name, v)
	return orNull(v), true
}

// keep notes a variable that is not small, so that a loop does not decode it
// each time.
func (s *variables) keep(name string, v Value) {
	switch v := v.(type) {
	case List, *Context:
	case String:
		if len(v) < cacheText {
			return
		}
	default:
		return
	}
	s.cache = append(s.cache, Entry{name, v})
}

// invoke calls a function value with as many arguments as it has parameters.
func (c *evaluation) invoke(f *Function, args []Value) Value {
	c.spend(1)
	if c.calls++; c.calls > maxCallDepth {
		c.exceed("functions call each other too deeply")
	}
	defer func() { c.calls-- }()
	if f.native != nil {
		for i := range f.types {
			args[i] = c.argument(f.types[i], args[i])
		}
		v, err := f.native(args)
		if e := (*EvalError)(nil); errors.As(err, &e) {
			panic(abort{e})
		} else if err != nil {
			c.fail(Failed, err.Error())
		}
		return orNull(v)
	}
	frame0, vars0 := c.frame, c.vars
	if c.frame = f.frame; f.vars != c.vars {
		// Another evaluation may use the function at the same time.
		c.vars = &variables{scope: f.vars.scope}
	}
	for i, p := range f.params {
		c.frame = &frame{name: p, value: c.argument(f.typeOf(i), args[i]), parent: c.frame}
	}
	v := f.body.eval(c)
	c.frame, c.vars = frame0, vars0
	return v
}
