package feel

import (
	"bytes"
	"encoding/json"
)

// JSONScope is a Scope whose variables are JSON. Of a variable that is an object
// the evaluation may decode only the part an expression asks for.
type JSONScope interface {
	Scope
	// LookupJSON gives the document of the variable, and whether there is one.
	LookupJSON(name string) ([]byte, bool)
}

// Vars is a JSONScope that decodes a variable when it is asked for. A variable
// that is not JSON counts as missing; who fills Vars has checked it.
type Vars map[string]json.RawMessage

// Lookup gives the decoded variable.
func (v Vars) Lookup(name string) (Value, bool) {
	raw, ok := v[name]
	if !ok {
		return nil, false
	}
	d := jsonDecoder{doc: raw}
	value := d.value(0)
	d.blanks()
	if d.err != nil || d.pos < len(raw) {
		return nil, false
	}
	return value, true
}

// LookupJSON gives the variable as it is.
func (v Vars) LookupJSON(name string) ([]byte, bool) {
	raw, ok := v[name]
	return raw, ok
}

// bytesPerScanStep is how much of a document can be skipped for one step.
const bytesPerScanStep = 128

// decodePath gives the value at the end of a path into a variable in JSON
// without decoding the rest of it; nil if the variable should be decoded as a
// whole: it is no object, it has no such member (the warning needs the others),
// or a part of it was asked for before.
func (c *evaluation) decodePath(name string, path []string) Value {
	scope, ok := c.vars.scope.(JSONScope)
	if !ok || c.vars.scanned == name {
		return nil
	}
	if c.frame != nil {
		if _, local := c.local(name); local {
			return nil
		}
	}
	c.vars.scanned = name
	raw, ok := scope.LookupJSON(name)
	if !ok {
		return nil
	}
	c.spend(len(raw) / bytesPerScanStep)
	d := jsonDecoder{doc: raw}
	for _, member := range path {
		if !d.enter(member) {
			return nil
		}
	}
	v := d.value(0)
	if d.err != nil {
		return nil
	}
	return v
}

// enter goes to the value of a member of the object d is at, the last if there
// are several of the name.
func (d *jsonDecoder) enter(member string) bool {
	if d.blanks(); d.peek() != '{' {
		return false
	}
	d.pos++
	found := -1
	for d.err == nil {
		if d.blanks(); d.peek() != '"' {
			break
		}
		same := d.keyIs(member)
		if d.blanks(); d.peek() != ':' {
			break
		}
		d.pos++
		d.blanks()
		if same {
			found = d.pos
		}
		d.skip()
		if d.blanks(); d.peek() != ',' {
			break
		}
		d.pos++
	}
	d.pos = max(found, 0)
	return found >= 0 && d.err == nil
}

// keyIs reads the name of a member and compares it.
func (d *jsonDecoder) keyIs(member string) bool {
	start := d.pos + 1
	d.skipText()
	if d.err != nil {
		return false
	}
	raw := d.doc[start : d.pos-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw) == member
	}
	key := jsonDecoder{doc: d.doc, pos: start - 1}
	return key.text() == member && key.err == nil
}

func (d *jsonDecoder) skipText() {
	for d.pos++; d.pos < len(d.doc); d.pos++ {
		switch d.doc[d.pos] {
		case '\\':
			d.pos++
		case '"':
			d.pos++
			return
		}
	}
	d.fail("string without end")
}

// skip goes over a value without looking at it closely.
func (d *jsonDecoder) skip() {
	for depth := 0; d.pos < len(d.doc) && d.err == nil; {
		switch d.doc[d.pos] {
		case '"':
			d.skipText()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				if depth == 0 {
					d.pos++
				}
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		d.pos++
	}
}
