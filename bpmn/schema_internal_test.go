package bpmn

import "testing"

// TestSchemaTables checks that the tables are whole: every name in them leads
// somewhere.
func TestSchemaTables(t *testing.T) {
	s := schema()
	heads := map[string]bool{}
	for name, e := range s.elements {
		if e.typ == nil {
			t.Errorf("element %s has an unknown type", name)
		}
		for _, h := range e.heads {
			heads[h] = true
		}
	}
	if len(s.types) < 100 || len(s.elements) < 100 {
		t.Errorf("%d types, %d elements", len(s.types), len(s.elements))
	}
	for _, typ := range s.types {
		if len(typ.attrs) > 64 {
			t.Errorf("type %s has %d attributes", typ.name, len(typ.attrs))
		}
		for _, a := range typ.attrs {
			if a.name == "" {
				t.Errorf("type %s has an attribute without a name", typ.name)
			}
		}
		for _, p := range typ.content {
			checkParticle(t, s, typ, p, heads)
		}
	}
	for name := range elementTypes {
		if s.elements[name] == nil {
			t.Errorf("flow node %s is not in the schema", name)
		}
	}
	for name := range eventTypes {
		if s.elements[name] == nil {
			t.Errorf("event definition %s is not in the schema", name)
		}
	}
}

func checkParticle(t *testing.T, s *schemaTable, typ *schemaType, p particle, heads map[string]bool) {
	t.Helper()
	for _, n := range p.names {
		switch {
		case p.typ != "":
			if s.types[p.typ] == nil {
				t.Errorf("type %s: %s has the unknown type %s", typ.name, n, p.typ)
			}
		case s.elements[n] == nil && !heads[n]:
			t.Errorf("type %s: nothing is called %s", typ.name, n)
		}
	}
}

// TestKindsHaveNames checks that every flow node can be named in a refusal,
// and that the table of what runs holds only names that exist.
func TestKindsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for name, typ := range elementTypes {
		for event := range eventNames {
			for _, scope := range []ElementType{ProcessElement, EventSubProcess} {
				for _, n := range []*node{{name: name}, extended(name)} {
					e := &Element{Type: typ, Event: EventType(event), Scope: &Element{Type: scope}}
					k := kind(n, e)
					if k == "" {
						t.Errorf("%s has no name", name)
					}
					names[k] = true
					for _, f := range features(n) {
						names[f] = true
					}
				}
			}
		}
	}
	for k := range runs {
		if !names[k] && k != "process" && k != "event sub-process" {
			t.Errorf("no element is called %q", k)
		}
	}
}

// extended makes a node with all that changes an element's name.
func extended(name string) *node {
	return &node{name: name, attrs: []attr{{name: "isForCompensation", value: "true"}}, children: []*node{
		{name: "multiInstanceLoopCharacteristics"},
		{name: "extensionElements", children: []*node{{name: "script"}, {name: "calledDecision"}, {name: "userTask"}, {name: "executionListeners"}}},
	}}
}
