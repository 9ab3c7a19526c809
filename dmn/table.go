package dmn

import "github.com/grevy-io/grevy/feel"

// tableLogic is a decision table (DMN 1.3, chapter 8).
type tableLogic struct {
	hitPolicy, aggregation string
	inputs                 []tableInput
	outputs                []tableOutput
	rules                  []tableRule
}

type tableInput struct {
	id, name string
	expr     *feel.Expression
}

// tableOutput is a column; key is its entry in the value of a table with
// several outputs, name what people are shown.
type tableOutput struct {
	id, key, name string
	unset         *feel.Expression // its value if no rule matches, or nil
	values        feel.List        // in order of priority, for hit policies that ask for it
}

type tableRule struct {
	id      string
	index   int
	tests   []*feel.UnaryTests // nil is fulfilled
	outputs []*feel.Expression
}

func (*tableLogic) kind() Type { return DecisionTable }

// eval evaluates the inputs, looks for the rules that match, evaluates their
// outputs and lets the hit policy make the value of them.
func (t *tableLogic) eval(e *evaluation, vars feel.Scope, rec *Evaluated) (feel.Value, error) {
	if rec == nil {
		rec = &Evaluated{} // a table inside of another expression tells nothing
	}
	inputs, err := t.evalInputs(e, vars)
	if err != nil {
		return nil, err
	}
	rec.Inputs = inputs
	matched, err := t.match(e, vars, inputs)
	if err != nil {
		return nil, err
	}
	rules, err := t.evalOutputs(e, vars, matched)
	if err != nil {
		return nil, err
	}
	rec.Rules = rules
	if len(rules) == 0 {
		return t.unset(e, vars)
	}
	return t.result(e, rules)
}

func (t *tableLogic) evalInputs(e *evaluation, vars feel.Scope) ([]Input, error) {
	out := make([]Input, 0, len(t.inputs))
	for _, in := range t.inputs {
		v, err := e.run(in.expr, vars)
		if err != nil {
			return nil, err
		}
		out = append(out, Input{in.id, in.name, v})
	}
	return out, nil
}

// match gives the rules that match, only the first for the hit policy FIRST.
func (t *tableLogic) match(e *evaluation, vars feel.Scope, inputs []Input) ([]*tableRule, error) {
	var out []*tableRule
	env := &feel.Env{Scope: vars, Now: e.now}
	for i := range t.rules {
		r := &t.rules[i]
		ok, err := e.matches(r, inputs, env)
		if err != nil {
			return nil, err
		}
		if ok {
			if out = append(out, r); t.hitPolicy == "FIRST" {
				break
			}
		}
	}
	return out, nil
}

func (e *evaluation) matches(r *tableRule, inputs []Input, env *feel.Env) (bool, error) {
	for i, test := range r.tests {
		if test == nil {
			continue
		}
		if err := e.inTime(); err != nil {
			return false, err
		}
		env.MaxSteps = e.steps
		res, err := test.Eval(inputs[i].Value, env)
		e.spend(&res)
		if err != nil || res.Value != feel.Value(feel.Bool(true)) {
			return false, e.noted(err)
		}
	}
	return true, nil
}

func (t *tableLogic) evalOutputs(e *evaluation, vars feel.Scope, matched []*tableRule) ([]Rule, error) {
	var out []Rule
	for _, r := range matched {
		rule := Rule{ID: r.id, Index: r.index}
		for i, x := range r.outputs {
			v, err := e.run(x, vars)
			if err != nil {
				return nil, err
			}
			rule.Outputs = append(rule.Outputs, Output{t.outputs[i].id, t.outputs[i].name, v})
		}
		out = append(out, rule)
	}
	return out, nil
}

// unset is the value if no rule matches: null, or made of the default outputs
// if there are any.
func (t *tableLogic) unset(e *evaluation, vars feel.Scope) (feel.Value, error) {
	values, some := make([]feel.Value, len(t.outputs)), false
	for i, out := range t.outputs {
		x := out.unset
		if some = some || x != nil; x == nil {
			x = nullExpression
		}
		var err error
		if values[i], err = e.run(x, vars); err != nil {
			return nil, err
		}
	}
	if !some {
		return feel.Null{}, nil
	}
	return t.value(values), nil
}

// value makes the value of a rule: of several outputs a context.
func (t *tableLogic) value(outputs []feel.Value) feel.Value {
	if len(outputs) == 1 {
		return outputs[0]
	}
	c := feel.NewContext()
	for i, v := range outputs {
		c.Put(t.outputs[i].key, v)
	}
	return c
}

func (t *tableLogic) valueOf(r Rule) feel.Value {
	values := make([]feel.Value, 0, len(r.Outputs))
	for _, o := range r.Outputs {
		values = append(values, o.Value)
	}
	return t.value(values)
}
