package feel

import "strings"

// Type is a type as an expression names it (DMN 1.3, 10.3.2.3): number,
// list<string>, context<a: number>, function<date>->string, range<time>, or the
// name of a type that Env.Types holds. It is immutable.
type Type struct {
	name   string
	of     []*Type  // of a list or range the elements, of a function the parameters
	keys   []string // of a context, whose types stand in of
	result *Type    // of a function
}

// ParseType gives the type that the text names. The error is a *ParseError.
func ParseType(src string) (*Type, error) {
	p := newParser(src)
	var t *Type
	_, err := p.parse(func() node {
		t = p.typeExpr()
		return nil
	})
	return t, err
}

// ListType gives the type of lists of elements of a type.
func ListType(element *Type) *Type { return &Type{name: "list", of: []*Type{element}} }

// ContextType gives the type of contexts that have at least these entries.
func ContextType(keys []string, types []*Type) *Type {
	return &Type{name: "context", keys: keys, of: types}
}

// typeKinds are the kinds of values that the types have, their parts left aside.
var typeKinds = map[string][]Kind{
	"number": {KindNumber}, "boolean": {KindBool}, "string": {KindString}, "date": {KindDate},
	"time": {KindTime, KindLocalTime}, "date and time": {KindDateTime, KindLocalDateTime},
	"days and time duration":    {KindDaysTimeDuration},
	"years and months duration": {KindYearsMonthsDuration},
	"list":                      {KindList}, "context": {KindContext}, "function": {KindFunction}, "range": {KindRange},
}

// includes says whether the value is of the type. null is of none, but it may
// stand in a list or context of any.
func (c *evaluation) includes(t *Type, v Value, depth int) bool {
	depth = c.deeper(depth)
	if t.name == "Any" {
		return true
	}
	kinds, own := typeKinds[t.name]
	if !own {
		named := c.env.Types[t.name]
		return named != nil && c.includes(named, v, depth)
	}
	for _, k := range kinds {
		if v.Kind() == k {
			return c.includesParts(t, v, depth)
		}
	}
	return false
}

func (c *evaluation) includesParts(t *Type, v Value, depth int) bool {
	part := func(t *Type, v Value) bool {
		v = orNull(v)
		return v.Kind() == KindNull || c.includes(t, v, depth)
	}
	switch v := v.(type) {
	case List:
		for _, e := range v {
			if len(t.of) > 0 && !part(t.of[0], e) {
				return false
			}
		}
	case *Range:
		return len(t.of) == 0 || part(t.of[0], v.Start) && part(t.of[0], v.End)
	case *Context:
		for i, key := range t.keys {
			if e, ok := v.Get(key); !ok || !part(t.of[i], e) {
				return false
			}
		}
	case *Function:
		return t.result == nil || c.includesFunction(t, v)
	}
	return true
}

// includesFunction compares a function with a type: it must take all that the
// type's functions take, and give nothing that they do not give. What it gives
// is known if it is written down.
func (c *evaluation) includesFunction(t *Type, f *Function) bool {
	if len(f.params) != len(t.of) {
		return false
	}
	for i, given := range t.of {
		if declared := f.typeOf(i); declared != nil && !c.conforms(given, declared, 0) {
			return false
		}
	}
	if t.result.name == "Any" {
		return true
	}
	gives := staticType(f.body)
	return gives != nil && c.conforms(gives, t.result, 0)
}

// conforms says whether all values of one type are of the other.
func (c *evaluation) conforms(t, to *Type, depth int) bool {
	depth = c.deeper(depth)
	if named := c.env.Types[t.name]; named != nil && typeKinds[t.name] == nil {
		return c.conforms(named, to, depth)
	}
	if named := c.env.Types[to.name]; named != nil && typeKinds[to.name] == nil {
		return c.conforms(t, named, depth)
	}
	if to.name == "Any" {
		return true
	}
	if t.name != to.name {
		return false
	}
	switch t.name {
	case "context":
		return c.conformsContext(t, to, depth)
	case "function":
		return to.result == nil
	}
	if len(to.of) > 0 {
		return len(t.of) > 0 && c.conforms(t.of[0], to.of[0], depth)
	}
	return true
}

func (c *evaluation) conformsContext(t, to *Type, depth int) bool {
	for i, key := range to.keys {
		found := false
		for j, k := range t.keys {
			if k == key {
				found = c.conforms(t.of[j], to.of[i], depth)
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// staticType gives the type of what is written down as a value, else nil.
func staticType(n node) *Type {
	switch n := n.(type) {
	case *constNode:
		for name, kinds := range typeKinds {
			if kinds[0] == n.value.Kind() && n.value.Kind() != KindList {
				return &Type{name: name}
			}
		}
	case *contextNode:
		t := &Type{name: "context", keys: n.keys}
		for _, v := range n.values {
			of := staticType(v)
			if of == nil {
				return nil
			}
			t.of = append(t.of, of)
		}
		return t
	}
	return nil
}

// argument makes a value one of the parameter's type (10.3.2.9.4): the element
// of a list of one for a value, a list of it for a list; else it is null.
func (c *evaluation) argument(t *Type, v Value) Value {
	if t == nil || v.Kind() == KindNull || c.includes(t, v, 0) {
		return v
	}
	if l, ok := v.(List); ok && len(l) == 1 && c.includes(t, orNull(l[0]), 0) {
		return l[0]
	}
	if l := (List{v}); c.includes(t, l, 0) {
		return l
	}
	return c.warn(InvalidType, "Expected "+t.String()+" but found '"+c.describe(v)+"'")
}

// String gives the type as it is written.
func (t *Type) String() string {
	var parts []string
	for i, of := range t.of {
		part := of.String()
		if t.keys != nil {
			part = t.keys[i] + ": " + part
		}
		parts = append(parts, part)
	}
	text := t.name
	if parts != nil || t.result != nil {
		text += "<" + strings.Join(parts, ", ") + ">"
	}
	if t.result != nil {
		text += "->" + t.result.String()
	}
	return text
}
