package dmn

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// Expressions for what the language does with values and only an expression
// can ask for.
var (
	equalExpression = mustCompile("a = b")
	textExpression  = mustCompile("string([a])")
	indexExpression = mustCompile("a[b]")
	aggregators     = map[string]*feel.Expression{"SUM": mustCompile("sum(a)"), "MIN": mustCompile("min(a)"), "MAX": mustCompile("max(a)")}
	argumentNames   = makeArgumentNames(64)
	callExpressions = makeCalls(64)
)

func makeArgumentNames(n int) (out []string) {
	for i := range n {
		out = append(out, "a"+strconv.Itoa(i))
	}
	return out
}

func makeCalls(n int) (out []*feel.Expression) {
	for i := range n {
		out = append(out, mustCompile("f("+strings.Join(argumentNames[:i], ", ")+")"))
	}
	return out
}

// on evaluates one of these expressions.
func (e *evaluation) on(x *feel.Expression, a, b feel.Value) (feel.Value, error) {
	return e.run(x, &layer{outer: noScope{}, vars: map[string]feel.Value{"a": a, "b": b}})
}

func (e *evaluation) equal(a, b feel.Value) (bool, error) {
	v, err := e.on(equalExpression, a, b)
	return v == feel.Value(feel.Bool(true)), err
}

// text is a value as the original shows it in a failure.
func (e *evaluation) text(v feel.Value) (string, error) {
	t, err := e.on(textExpression, v, nil)
	if err != nil {
		return "", err
	}
	s, _ := t.(feel.String)
	return strings.TrimSuffix(strings.TrimPrefix(string(s), "["), "]"), nil
}

// checkType refuses a value that is not of the type, if that is one of the
// language: what an item definition says is not checked, as in the original.
// null is of every type; of a list of one value that is of the type it makes the
// value (DMN 1.3, 10.3.2.9.4).
func (e *evaluation) checkType(typeRef string, v feel.Value) (feel.Value, error) {
	kinds, ok := typeKinds[strings.ToLower(typeRef)]
	if !ok || v.Kind() == feel.KindNull || slices.Contains(kinds, v.Kind()) {
		return v, nil
	}
	if l, ok := v.(feel.List); ok && len(l) == 1 && l[0] != nil && slices.Contains(kinds, l[0].Kind()) {
		return l[0], nil
	}
	text, err := e.text(v)
	if err != nil {
		return nil, err
	}
	return nil, e.noted(errors.New("expected '" + typeRef + "' but found '" + short(text) + "'"))
}

// short bounds what a failure tells of values.
func short(s string) string { return cut(s, maxFound) }

var (
	numberKind   = []feel.Kind{feel.KindNumber}
	dateTimeKind = []feel.Kind{feel.KindDateTime, feel.KindLocalDateTime}
	daysKind     = []feel.Kind{feel.KindDaysTimeDuration}
	monthsKind   = []feel.Kind{feel.KindYearsMonthsDuration}
)

// typeKinds are the types of the language (DMN 1.3, 10.3.2.3) and the names
// modelers give them.
var typeKinds = map[string][]feel.Kind{
	"string":                    {feel.KindString},
	"boolean":                   {feel.KindBool},
	"number":                    numberKind,
	"integer":                   numberKind,
	"long":                      numberKind,
	"double":                    numberKind,
	"date":                      {feel.KindDate},
	"time":                      {feel.KindTime, feel.KindLocalTime},
	"datetime":                  dateTimeKind,
	"date time":                 dateTimeKind,
	"date and time":             dateTimeKind,
	"daytimeduration":           daysKind,
	"days and time duration":    daysKind,
	"yearmonthduration":         monthsKind,
	"years and months duration": monthsKind,
}
