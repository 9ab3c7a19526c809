package bpmn

// compensationHandler checks an activity that compensates another.
func (c *checker) compensationHandler(n *node) {
	if len(c.in[n.id()]) > 0 {
		c.add(n, "A compensation handler should have no incoming sequence flows")
	}
	if len(c.out[n.id()]) > 0 {
		c.add(n, "A compensation handler should have no outgoing sequence flows")
	}
	if len(c.attached[n.id()]) > 0 {
		c.add(n, "A compensation handler should have no boundary events")
	}
}

// compensationThrow checks an event that starts compensation.
func (c *checker) compensationThrow(n, d *node) {
	if !d.bool("waitForCompletion", true) {
		what := "intermediate throwing event"
		if n.is("endEvent") {
			what = "end event"
		}
		c.add(n, "A compensation %s waitForCompletion attribute must be true or not present", what)
	}
	id := d.ref("activityRef")
	if id == "" {
		return
	}
	activity := c.doc.ids[id]
	if !activity.is("subProcess") && !c.compensated[id] {
		c.add(d, "The referenced compensation activity '%s' must have either a compensation boundary event or be a subprocess", id)
	}
	if activity == nil || activity.parent != n.parent {
		c.add(d, "The referenced compensation activity '%s' must be in the same scope as the compensation throw event", id)
	}
}
