package bpmn

// conditions checks the outgoing flows of an exclusive or inclusive gateway.
func (c *checker) conditions(n *node) {
	flows := c.out[n.id()]
	standard := n.attr("default")
	if standard != "" {
		found := false
		for _, f := range flows {
			found = found || f.id() == standard
		}
		if !found {
			c.add(n, "Default flow must start at gateway")
		}
	}
	if len(flows) < 2 {
		return
	}
	for _, f := range flows {
		if f.child("conditionExpression") == nil && f.id() != standard {
			c.add(f, "Must have a condition or be default flow")
		}
	}
}

// noConditions refuses conditions where they have no effect.
func (c *checker) noConditions(n *node) {
	for _, f := range c.out[n.id()] {
		if f.child("conditionExpression") != nil {
			c.add(n, "Conditional sequence flows are only supported at exclusive or inclusive gateway")
			return
		}
	}
}

// eventGateway checks what follows an event-based gateway.
func (c *checker) eventGateway(n *node) {
	flows := c.out[n.id()]
	if len(flows) < 2 {
		c.add(n, "Event-based gateway must have at least 2 outgoing sequence flows.")
	}
	var g catchGroup
	others, shared := false, false
	seen := map[*node]bool{}
	for _, f := range flows {
		target := c.doc.ids[f.attr("targetRef")]
		if target == nil || seen[target] {
			continue
		}
		seen[target] = true
		switch event := target.event(); {
		case !target.is("intermediateCatchEvent"):
			others = true
		case event == EventMessage || event == EventTimer || event == EventSignal:
			g.add(target)
		default:
			others = true
		}
		for _, in := range c.in[target.id()] {
			if shared = shared || in.attr("sourceRef") != n.id(); shared {
				break
			}
		}
	}
	if others {
		c.add(n, "Event-based gateway must not have an outgoing sequence flow to other elements than message/timer/signal intermediate catch events.")
	}
	if shared {
		c.add(n, "Target elements of an event gateway must not have any additional incoming sequence flows other than that from the event gateway.")
	}
	c.catchGroup(n, g)
}
