package enginetest

import "github.com/grevy-io/grevy/protocol"

// continue goes on with work that was cut off.
func init() { verbs["continue"] = goOn }

func goOn(t *transcript, c *call) error { return t.execute(c, &protocol.Continue{}) }
