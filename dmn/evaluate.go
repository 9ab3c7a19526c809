package dmn

import (
	"time"

	"github.com/grevy-io/grevy/feel"
)

// Evaluation is the answer to an evaluation of a decision.
type Evaluation struct {
	// Decision is the one that was asked for.
	Decision *Decision
	// Output is its value, nil if the evaluation failed.
	Output feel.Value
	// Evaluated are all decisions and called knowledge models in the order in
	// which they ended: what one requires stands before it, the decision that
	// failed, if one did, last. One that is required twice stands there twice.
	Evaluated []Evaluated
	// Failure is nil if the evaluation succeeded.
	Failure *Failure
}

// Failure says why an evaluation failed.
type Failure struct {
	// DecisionID is the decision that failed: the one asked for or one it requires.
	DecisionID string
	// Message is "Expected to evaluate decision '…', but …", the one asked for
	// being named in it.
	Message string
}

// Evaluated is one decision or knowledge model that was evaluated.
type Evaluated struct {
	ID, Name string
	Type     Type
	// Output is its value, null if it failed.
	Output feel.Value
	// Inputs and Rules are those of a decision table: the value of each input,
	// and the rules that matched in the order of the table.
	Inputs []Input
	Rules  []Rule
}

// Input is the value of an input of a decision table. The name is its label or,
// without one, its expression.
type Input struct {
	ID, Name string
	Value    feel.Value
}

// Rule is a rule that matched; Index counts from 1.
type Rule struct {
	ID      string
	Index   int
	Outputs []Output
}

// Output is the value a rule gives to an output of a decision table. The name
// is its label or, without one, its name.
type Output struct {
	ID, Name string
	Value    feel.Value
}

// NotFound says that a model has no decision of the id.
type NotFound struct{ ID string }

// Error words it as the original does.
func (e *NotFound) Error() string {
	return expected(e.ID) + "no decision found for id '" + e.ID + "'"
}

func expected(id string) string { return "Expected to evaluate decision '" + id + "', but " }

// Evaluate evaluates the decision and before it all it requires. The scope
// holds the variables, nil has none; now is the time of FEEL's now() and
// today(), nil is time.Now. The error is *NotFound; an evaluation that fails is
// told in the Evaluation. Functions among the outputs must not be called any
// more: they belong to this evaluation.
func (m *Model) Evaluate(decisionID string, scope feel.Scope, now func() time.Time) (*Evaluation, error) {
	return m.evaluate(decisionID, scope, now, time.Now)
}

func (m *Model) evaluate(decisionID string, scope feel.Scope, now, clock func() time.Time) (*Evaluation, error) {
	d := m.byID[decisionID]
	if d == nil {
		return nil, &NotFound{decisionID}
	}
	e := &evaluation{
		now: now, clock: clock, deadline: clock().Add(maxTime), room: maxRoom, steps: maxSteps,
		base: &scopeCache{scope: scope}, decided: map[*Decision]decided{}, types: m.types,
	}
	v, err := e.decide(d)
	out := &Evaluation{Decision: d, Evaluated: e.log}
	if err != nil {
		out.Failure = &Failure{e.failedID, expected(d.ID) + cut(err.Error(), maxReport)}
	} else {
		out.Output = shown(d.logic, v)
	}
	return out, nil
}

// evaluation is the state of one evaluation.
type evaluation struct {
	now, clock func() time.Time
	deadline   time.Time
	base       feel.Scope // the variables
	decided    map[*Decision]decided
	types      map[string]*feel.Type
	log        []Evaluated
	room       int // how many more values the log may hold
	steps      int // how many more the expressions may take
	calls      int // functions we are inside of
	failedID   string
	failure    error // the first: functions called by expressions lose it
}

// decided is a decision that was evaluated, with its part of the log.
type decided struct {
	value    feel.Value
	from, to int
}

// decide evaluates a decision. If it was before, its value is known, but it
// stands in the log again with all it requires, as the original tells it.
func (e *evaluation) decide(d *Decision) (feel.Value, error) {
	if done, ok := e.decided[d]; ok {
		if err := e.again(done); err != nil {
			return nil, e.failed(d, err)
		}
		return done.value, nil
	}
	from := len(e.log)
	vars := layer{outer: e.base, vars: map[string]feel.Value{}}
	for _, r := range d.requires {
		v, err := e.decide(r)
		if err != nil {
			return nil, err
		}
		vars.vars[r.variable] = v
	}
	e.know(&vars, d.knows)
	rec := Evaluated{ID: d.ID, Name: d.Name, Type: d.Type}
	v, err := d.logic.eval(e, &vars, &rec)
	if err == nil {
		v, err = e.checkType(d.typeRef, v)
	}
	if err = e.record(&rec, d.logic, v, err); err != nil {
		return nil, e.failed(d, err)
	}
	e.decided[d] = decided{v, from, len(e.log)}
	return v, nil
}

// failed notes which decision failed and gives the reason that came first.
func (e *evaluation) failed(d *Decision, err error) error {
	if e.failedID == "" {
		e.failedID = d.ID
	}
	if e.failure == nil {
		e.failure = err
	}
	return e.failure
}

// record puts what was evaluated into the log, with a null if it failed.
func (e *evaluation) record(rec *Evaluated, l logic, v feel.Value, err error) error {
	rec.Output = feel.Null{}
	if err == nil {
		rec.Output = shown(l, v)
		if err = e.weighRecord(rec); err != nil {
			rec.Output, rec.Inputs, rec.Rules = feel.Null{}, nil, nil
		}
	}
	e.log = append(e.log, *rec)
	return err
}

// again repeats a part of the log.
func (e *evaluation) again(done decided) error {
	for i := done.from; i < done.to; i++ {
		rec := e.log[i]
		if err := e.weighRecord(&rec); err != nil {
			return err
		}
		e.log = append(e.log, rec)
	}
	return nil
}

// know gives the functions of knowledge models names.
func (e *evaluation) know(vars *layer, models []*knowledge) {
	for _, k := range models {
		if k.logic == nil {
			continue
		}
		f := feel.NewTypedFunction(k.params, k.types, func(args []feel.Value) (feel.Value, error) { return e.apply(k, args) })
		vars.vars[k.variable] = f
		vars.vars[normalName(k.name)] = f
	}
}

// apply calls a knowledge model.
func (e *evaluation) apply(k *knowledge, args []feel.Value) (feel.Value, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	vars := layer{outer: e.base, vars: map[string]feel.Value{}}
	e.know(&vars, k.knows)
	for i, p := range k.params {
		vars.vars[p] = args[i]
	}
	if k.logic.kind() == Service { // its decisions are recorded, it itself is none
		return k.logic.eval(e, &vars, nil)
	}
	rec := Evaluated{ID: k.id, Name: k.name, Type: k.logic.kind()}
	v, err := k.logic.eval(e, &vars, &rec)
	return v, e.record(&rec, k.logic, v, err)
}
