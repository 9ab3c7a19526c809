package enginetest

import "github.com/grevy-io/grevy/protocol"

// pull [ID] [kind=KIND] [version=N] [tag=TAG] [key=K]: asks for a definition, a
// process if nothing else is said. The answer is kept for `pulled`.
func init() { verbs["pull"] = pull }

func pull(t *transcript, c *call) error {
	version, err := c.number("version", -1)
	if err != nil {
		return err
	}
	cmd := &protocol.PullDefinition{Want: kindOf(c.text("kind")), ID: c.word(0), Version: int32(version), VersionTag: c.text("tag")}
	if s := c.text("key"); s != "" {
		cmd.DefinitionKey, _ = parseKey(s)
	}
	return t.execute(c, cmd)
}

// kindOf reads a kind of definitions.
func kindOf(s string) protocol.DefinitionKind {
	switch s {
	case "requirements":
		return protocol.RequirementsDefinition
	case "decision":
		return protocol.DecisionDefinition
	case "form":
		return protocol.FormDefinition
	}
	return protocol.ProcessDefinition
}
