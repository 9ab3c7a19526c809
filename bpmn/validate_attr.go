package bpmn

import (
	"errors"
	"strconv"
	"strings"
)

// checkAttributes checks the attributes of the start tag just read, and
// removes the blanks around those that are no text.
func (r *reader) checkAttributes(t *schemaType) error {
	if t == nil {
		return nil
	}
	var given uint64 // which of t.attrs; no type has more than 64
	for i := range r.s.attrs {
		a := &r.s.attrs[i]
		switch {
		case a.space == xsiSpace || a.space == xmlSpace:
			continue
		case a.space != "" && a.space != modelSpace && !t.closed:
			continue
		}
		index := -1
		for k := range t.attrs {
			if a.space == "" && t.attrs[k].name == a.name {
				index = k
			}
		}
		if index < 0 {
			return r.invalidf("cvc-complex-type.3.2.2: Attribute '%s' is not allowed to appear in element '%s'.", a.name, r.qname())
		}
		given |= 1 << index
		if err := r.checkValue(a, t.attrs[index].kind); err != nil {
			return err
		}
	}
	for k := range t.attrs {
		if t.attrs[k].must && given&(1<<k) == 0 {
			return r.invalidf("cvc-complex-type.4: Attribute '%s' must appear on element '%s'.", t.attrs[k].name, r.qname())
		}
	}
	return nil
}

func (r *reader) checkValue(a *attr, kind string) error {
	if kind == "" {
		return nil
	}
	a.value = strings.TrimSpace(a.value)
	wrong := ""
	switch kind {
	case "ID":
		return r.checkID(a.value)
	case "R":
		if !validName(a.value, false) {
			wrong = "NCName"
		}
		r.refs = append(r.refs, a.value)
	case "Q":
		if !validName(a.value, true) {
			wrong = "QName"
		}
	case "b":
		switch a.value {
		case "true", "false", "1", "0":
		default:
			wrong = "boolean"
		}
	case "d":
		if !isDouble(a.value) {
			wrong = "double"
		}
	case "i":
		if !isInteger(a.value) {
			wrong = "integer"
		}
	default:
		return r.checkEnumeration(a.value, kind)
	}
	if wrong != "" {
		return r.invalidf("cvc-datatype-valid.1.2.1: '%s' is not a valid value for '%s'.", a.value, wrong)
	}
	return nil
}

// isInteger says whether the text is a whole number of any length.
func isInteger(text string) bool {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return true
	}
	digits := strings.TrimLeft(text, "+-")
	return len(text)-len(digits) <= 1 && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func (r *reader) checkEnumeration(value, values string) error {
	list := strings.Split(values, "/")
	for _, v := range list {
		if v == value {
			return nil
		}
	}
	return r.invalidf("cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[%s]'. It must be a value from the enumeration.",
		value, strings.Join(list, ", "))
}

// isDouble says whether the text is an xs:double.
func isDouble(text string) bool {
	switch text {
	case "INF", "-INF", "NaN":
		return true
	}
	_, err := strconv.ParseFloat(text, 64)
	return (err == nil || errors.Is(err, strconv.ErrRange)) && strings.Trim(text, "+-.0123456789eE") == ""
}

// checkID notes an id, which nothing else in the document may have.
func (r *reader) checkID(id string) error {
	if !validName(id, false) {
		return r.invalidf("cvc-datatype-valid.1.2.1: '%s' is not a valid value for 'NCName'.", id)
	}
	if _, twice := r.doc.ids[id]; twice {
		return r.invalidf("cvc-id.2: There are multiple occurrences of ID value '%s'.", id)
	}
	r.doc.ids[id] = nil
	return nil
}

// checkRefs looks for references to ids that nothing has.
func (r *reader) checkRefs() error {
	for _, id := range r.refs {
		if _, ok := r.doc.ids[id]; !ok {
			return r.invalidf("cvc-id.1: There is no ID/IDREF binding for IDREF '%s'.", id)
		}
	}
	return nil
}
