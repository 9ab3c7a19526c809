package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/grevy-io/grevy/feel"
)

// scopeChain lets an expression see the variables of an element instance and of
// all scopes around it, the nearest first.
type scopeChain struct {
	r  *run
	el *elem
}

// Lookup finds a variable.
func (s scopeChain) Lookup(name string) (feel.Value, bool) {
	raw := s.r.lookup(s.el, name)
	if raw == nil {
		return nil, false
	}
	return fromJSON(raw), true
}

// fromJSON reads a variable. It was JSON when it was taken in, so what cannot be
// read is a number beyond the language's: it is null, and no fault of the store.
func fromJSON(raw []byte) feel.Value {
	v, err := feel.FromJSON(raw)
	if err != nil {
		return feel.Null{}
	}
	return v
}

// lookup returns the JSON text of a variable that el can see.
func (r *run) lookup(el *elem, name string) []byte {
	for ; el != nil; el = r.scope(el) {
		r.tx.LoadVariables(el.ElementInstance)
		if v := el.Variable(name); v != nil {
			return v
		}
		if el.isBody() && el.model.Loop.OutputCollection == name {
			return r.resultList(el)
		}
	}
	return nil
}

// value evaluates an expression for el. The error ends with the warnings.
func (r *run) value(x *feel.Expression, el *elem) (feel.Result, error) {
	res, err := r.evaluate(x, scopeChain{r, el})
	if err != nil {
		return res, fmt.Errorf("%w%s", err, warnings(res.Warnings))
	}
	return res, nil
}

// evaluate evaluates an expression; a static text is itself.
func (r *run) evaluate(x *feel.Expression, scope feel.Scope) (feel.Result, error) {
	if x.IsStatic() {
		return feel.Result{Value: feel.String(x.Static())}, nil
	}
	now := r.now
	return x.Eval(&feel.Env{Scope: scope, Now: func() time.Time { return time.UnixMilli(now) }})
}

// eval evaluates to a value of one kind. Anything else is a failure with the
// original's text; want is the kind's name there.
func (r *run) eval(x *feel.Expression, el *elem, want string, kind feel.Kind) (feel.Value, *failure) {
	res, err := r.value(x, el)
	if err != nil {
		return nil, &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	if res.Value == nil || res.Value.Kind() != kind {
		text := fmt.Sprintf("Expected result of the expression '%s' to be '%s', but was '%s'.", x.Source(), want, kindName(res.Value))
		return nil, &failure{"EXTRACT_VALUE_ERROR", text + warnings(res.Warnings)}
	}
	return res.Value, nil
}

// text evaluates to a text; a static one is itself.
func (r *run) text(x *feel.Expression, el *elem) (string, *failure) {
	if x.IsStatic() {
		return x.Static(), nil
	}
	v, fail := r.eval(x, el, "STRING", feel.KindString)
	if fail != nil {
		return "", fail
	}
	return string(v.(feel.String)), nil
}

// warnings prints what the evaluation remarked, as the original appends it to
// an incident's text.
func warnings(list []feel.Warning) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(" The evaluation reported the following warnings:")
	for _, w := range list {
		b.WriteString("\n")
		b.WriteString(w.String())
	}
	return b.String()
}

// kindName is the original's name of a result's type.
func kindName(v feel.Value) string {
	if v == nil {
		return "NULL"
	}
	switch v.Kind() {
	case feel.KindNull:
		return "NULL"
	case feel.KindBool:
		return "BOOLEAN"
	case feel.KindNumber:
		return "NUMBER"
	case feel.KindString:
		return "STRING"
	case feel.KindList:
		return "ARRAY"
	case feel.KindContext:
		return "OBJECT"
	case feel.KindDate:
		return "DATE"
	case feel.KindDateTime:
		return "DATE_TIME"
	case feel.KindDaysTimeDuration:
		return "DURATION"
	case feel.KindYearsMonthsDuration:
		return "PERIOD"
	}
	return strings.ToUpper(v.Kind().String())
}
