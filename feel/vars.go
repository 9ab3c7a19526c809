package feel

import "encoding/json"

// Vars is a Scope of variables in JSON that decodes a variable when it is asked
// for. A variable that is not JSON counts as missing; who fills Vars has
// checked it.
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
