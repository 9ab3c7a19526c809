package enginetest

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// decide [ID] [key=K] [known=SEQ] [vars=JSON]: evaluates a decision.
func init() { verbs["decide"] = decide }

func decide(t *transcript, c *call) error {
	known, err := c.number("known", 0)
	if err != nil {
		return err
	}
	cmd := &protocol.EvaluateDecision{DecisionID: c.word(0), Variables: c.bytes("vars"), DeploymentSeq: uint64(known)}
	if s := c.text("key"); s != "" {
		cmd.DecisionKey, _ = parseKey(s)
	}
	return t.execute(c, cmd)
}

// evaluated prints the answer: what was asked for, then each decision.
func (c *call) evaluated(p *protocol.Evaluated) {
	d := &p.Decision
	c.print("evaluated %s (%s) v%d %d of %s %d: %s", d.ID, d.Name, d.Version, d.Key, p.RequirementsID, p.RequirementsKey, d.Output)
	for i := range p.Decisions {
		d := &p.Decisions[i]
		c.print("  %s v%d %d %s: %s%s", d.ID, d.Version, d.Key, d.Type, d.Output, valuesText(d.Inputs))
		for k := range d.Rules {
			c.print("    rule %d %s:%s", d.Rules[k].Index, d.Rules[k].ID, valuesText(d.Rules[k].Outputs))
		}
	}
	if p.FailedID != "" {
		c.print("  %s failed: %s", p.FailedID, p.FailureMessage)
	}
}

func valuesText(list []protocol.DecisionValue) string {
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintf(&b, " %s=%s", v.Name, v.Value)
	}
	return b.String()
}
