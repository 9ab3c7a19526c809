package bpmn

import (
	"fmt"
	"strings"
)

// checkRefs looks for what the schema lets pass and no rule names, but what
// cannot be run: an event at something that is no activity, an association to
// something that cannot compensate.
func (b *builder) checkRefs() error {
	associations := map[string][]*node{}
	for i, n := range b.order {
		if t := b.process.Elements[i].Type; t != ProcessElement && t != SubProcess && t != EventSubProcess {
			continue
		}
		for _, a := range n.children {
			if a.is("association") {
				associations[a.ref("sourceRef")] = append(associations[a.ref("sourceRef")], a)
			}
		}
	}
	for i, n := range b.order {
		e := b.process.Elements[i]
		if e.Type != BoundaryEvent {
			continue
		}
		on := b.doc.ids[n.ref("attachedToRef")]
		if on == nil || !isActivity(on) || b.nodes[on] == nil {
			return fmt.Errorf("Expected boundary event '%s' to be attached to an activity of its process, but '%s' is none", e.ID, n.attr("attachedToRef"))
		}
		if e.Event != EventCompensation {
			continue
		}
		if err := b.handlers(e, associations[e.ID]); err != nil {
			return err
		}
	}
	return nil
}

// handlers looks at the other end of a compensation boundary event's
// associations. Of several the last one counts.
func (b *builder) handlers(e *Element, associations []*node) error {
	for _, a := range associations {
		target := b.doc.ids[a.ref("targetRef")]
		switch {
		case target == nil:
			return fmt.Errorf("Expected element with id '%s' to be the target of association '%s', but there is none", a.ref("targetRef"), a.id())
		case !isActivity(target):
			return fmt.Errorf("Expected element with id '%s' to be instance of class 'ExecutableActivity', but it is an instance of 'Executable%s'",
				target.id(), strings.ToUpper(target.name[:1])+target.name[1:])
		}
		if h := b.nodes[target]; h != nil {
			e.Handler, h.ForCompensation = h, true
		}
	}
	return nil
}
