package feel

// Value is a FEEL value. Values are immutable; the concrete types are Null,
// Bool, Number, String, List, *Context, Date, Time, DateTime,
// DaysTimeDuration, YearsMonthsDuration, *Range and *Function. A nil Value is
// treated as Null.
type Value interface {
	// Kind says which type it is.
	Kind() Kind
}

// Null is the null value.
type Null struct{}

// Bool is true or false.
type Bool bool

// String is a text in UTF-8. The language counts it in UTF-16 units, as the
// original does.
type String string

// List is a list of values. It must not be changed once it is a Value.
type List []Value

// Kind gives KindNull.
func (Null) Kind() Kind { return KindNull }

// Kind gives KindBool.
func (Bool) Kind() Kind { return KindBool }

// Kind gives KindString.
func (String) Kind() Kind { return KindString }

// Kind gives KindList.
func (List) Kind() Kind { return KindList }

var null Value = Null{}

// orNull makes a nil Value, as a Scope might give, a Null.
func orNull(v Value) Value {
	if v == nil {
		return null
	}
	return v
}
