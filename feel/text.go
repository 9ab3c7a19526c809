package feel

import "strconv"

// maxWarningText bounds the text of a value in a warning.
const maxWarningText = 1000

// textWriter writes values as the string function does inside lists and
// contexts: strings in quotes but not escaped.
type textWriter struct {
	b     []byte
	limit int
	full  bool // the limit was passed
}

func (w *textWriter) value(v Value, depth int) {
	if w.full || len(w.b) > w.limit || depth > maxValueDepth {
		w.full = true
		return
	}
	switch v := v.(type) {
	case nil, Null:
		w.b = append(w.b, "null"...)
	case Bool:
		w.b = strconv.AppendBool(w.b, bool(v))
	case Number:
		w.b = v.append(w.b)
	case String:
		w.b = append(append(append(w.b, '"'), v...), '"')
	case List:
		w.list(v, depth)
	case *Context:
		w.context(v, depth)
	case *Range:
		w.rangeText(v, depth)
	case *Function:
		w.function(v)
	case interface{ String() string }:
		w.b = append(w.b, v.String()...)
	}
}

func (w *textWriter) list(l List, depth int) {
	w.b = append(w.b, '[')
	for i, e := range l {
		if w.full {
			return
		}
		if i > 0 {
			w.b = append(w.b, ", "...)
		}
		w.value(e, depth+1)
	}
	w.b = append(w.b, ']')
}

func (w *textWriter) context(c *Context, depth int) {
	w.b = append(w.b, '{')
	for i, e := range c.entries {
		if w.full {
			return
		}
		if i > 0 {
			w.b = append(w.b, ", "...)
		}
		w.b = append(append(w.b, e.Key...), ':')
		w.value(e.Value, depth+1)
	}
	w.b = append(w.b, '}')
}

func (w *textWriter) rangeText(r *Range, depth int) {
	open, end := byte('('), byte(')')
	if r.StartIncluded {
		open = '['
	}
	if r.EndIncluded {
		end = ']'
	}
	w.b = append(w.b, open)
	w.value(r.Start, depth+1)
	w.b = append(w.b, ".."...)
	w.value(r.End, depth+1)
	w.b = append(w.b, end)
}

func (w *textWriter) function(f *Function) {
	w.b = append(w.b, "function<"...)
	for i, p := range f.params {
		if i > 0 {
			w.b = append(w.b, ", "...)
		}
		w.b = append(w.b, p...)
	}
	w.b = append(w.b, '>')
}

// describe gives the text of a value for a warning, cut if it is long. No one
// will see it if there are enough warnings already.
func (c *evaluation) describe(v Value) string {
	if len(c.warnings) >= maxWarnings {
		return ""
	}
	w := textWriter{limit: maxWarningText}
	w.value(v, 0)
	c.spend(len(w.b) / bytesPerStep)
	if w.full || len(w.b) > maxWarningText {
		return string(w.b[:min(len(w.b), maxWarningText)]) + "…"
	}
	return string(w.b)
}

// text gives what the string function gives for a value that is not null.
func (c *evaluation) text(v Value) String {
	if s, ok := v.(String); ok {
		return s
	}
	w := textWriter{limit: maxTextLength}
	w.value(v, 0)
	if w.full {
		c.exceed("a text is too long")
	}
	return c.newText(string(w.b))
}
