package feel

import "strings"

var conversionFunctions = map[string]builtinFunc{
	"string(from)": stringOf,
	"number(from)": func(c *evaluation, a []Value) (Value, bool) { return c.numberOf(a[0], "", "") },
	"number(from, grouping separator)": func(c *evaluation, a []Value) (Value, bool) {
		return numberOfGroups(c, append(a[:2:2], null))
	},
	"number(from, grouping separator, decimal separator)": numberOfGroups,
	"to base64(value)": toBase64,
}

func stringOf(c *evaluation, a []Value) (Value, bool) {
	if a[0].Kind() == KindNull {
		return null, true
	}
	return c.text(a[0]), true
}

func (c *evaluation) numberOf(v Value, grouping, point string) (Value, bool) {
	s, ok := v.(String)
	if !ok {
		n, isNumber := v.(Number)
		return n, isNumber
	}
	text := string(s)
	if grouping != "" {
		text = strings.ReplaceAll(text, grouping, "")
	}
	if point != "" && point != "." {
		text = strings.Replace(text, point, ".", 1)
	}
	n, ok := parseDecimal([]byte(text))
	if !ok {
		c.problem = "Failed to parse number from '" + string(s) + "'"
		return null, false
	}
	return n, true
}

// numberOfGroups reads a number with separators: a blank, a comma or a point
// between groups, a point or a comma before the decimals; null is none.
func numberOfGroups(c *evaluation, a []Value) (Value, bool) {
	grouping, ok1 := separator(a[1], " ,.")
	point, ok2 := separator(a[2], ",.")
	if _, isText := a[0].(String); !isText || !ok1 || !ok2 || grouping != "" && grouping == point {
		return null, false
	}
	return c.numberOf(a[0], grouping, point)
}

func separator(v Value, allowed string) (string, bool) {
	switch s := v.(type) {
	case Null:
		return "", true
	case String:
		return string(s), len(s) == 1 && strings.Contains(allowed, string(s))
	}
	return "", false
}
