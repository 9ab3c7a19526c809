package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
)

// abandon PROCESS [vars=JSON]: creates an instance and throws the writes away,
// as is done with a command whose entry would be too large.
func init() { verbs["abandon"] = abandon }

func abandon(_ *transcript, c *call) error {
	return c.part.Abandon(&protocol.CreateInstance{ProcessID: c.word(0), Version: -1, Variables: c.bytes("vars")})
}
