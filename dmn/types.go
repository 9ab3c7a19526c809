package dmn

import (
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// typeAliases are the names that modelers and older versions of DMN give to
// types of the language.
var typeAliases = map[string]string{
	"dateTime": "date and time", "dayTimeDuration": "days and time duration",
	"yearMonthDuration": "years and months duration", "integer": "number", "long": "number", "double": "number",
	"any": "Any",
}

// newTypes makes types of the item definitions (DMN 1.3, 7.3.3), for "instance
// of" and the parameters of decision services. Allowed values are no part of
// them.
func newTypes(root *node) map[string]*feel.Type {
	types := map[string]*feel.Type{}
	for _, n := range root.all("itemDefinition") {
		if t := itemType(n); t != nil {
			types[normalName(n.attr("name"))] = t
		}
	}
	return types
}

// itemType gives the type of an item definition or component, nil if it is not
// said.
func itemType(n *node) *feel.Type {
	var t *feel.Type
	components := n.all("itemComponent")
	switch ref := n.child("typeRef"); {
	case ref != nil:
		t = typeOf(ref.text)
	case len(components) > 0:
		var keys []string
		var types []*feel.Type
		for _, c := range components {
			if of := itemType(c); of != nil {
				keys, types = append(keys, normalName(c.attr("name"))), append(types, of)
			}
		}
		t = feel.ContextType(keys, types)
	case n.child("functionItem") != nil:
		t = typeOf("function")
	}
	if t != nil && strings.TrimSpace(n.attr("isCollection")) == "true" {
		t = feel.ListType(t)
	}
	return t
}

// typeOf gives the type of a reference, nil for none. Names of item definitions
// may have blanks.
func typeOf(ref string) *feel.Type {
	ref = strings.TrimPrefix(normalName(ref), "feel:")
	if alias, ok := typeAliases[ref]; ok {
		ref = alias
	}
	if ref == "" || strings.Contains(ref, "`") {
		return nil
	}
	if t, err := feel.ParseType(ref); err == nil {
		return t
	}
	t, err := feel.ParseType("`" + ref + "`")
	if err != nil {
		return nil // not a name either: it says nothing
	}
	return t
}
