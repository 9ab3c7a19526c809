package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// set-variables scope=S vars=JSON [local]: S is a key, an element's or a process's id.
func init() { verbs["set-variables"] = setVariables }

func setVariables(t *transcript, c *call) error {
	scope, err := t.find(c, "scope", state.TableElement)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.SetVariables{ElementKey: scope, Variables: c.bytes("vars"), Local: c.has("local")})
}
