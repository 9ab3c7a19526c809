package enginetest

import "github.com/grevy-io/grevy/protocol"

// pull [PROCESS] [version=N] [key=K]: asks for a definition. The answer is kept
// for `pulled`.
func init() { verbs["pull"] = pull }

func pull(t *transcript, c *call) error {
	version, err := c.number("version", -1)
	if err != nil {
		return err
	}
	cmd := &protocol.PullDefinition{ProcessID: c.word(0), Version: int32(version)}
	if s := c.text("key"); s != "" {
		cmd.DefinitionKey, _ = parseKey(s)
	}
	return t.execute(c, cmd)
}
