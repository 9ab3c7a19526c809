package enginetest

import "github.com/grevy-io/grevy/protocol"

// tick lets the partition do what time brings.
func init() { verbs["tick"] = tick }

func tick(t *transcript, c *call) error { return t.execute(c, &protocol.Tick{}) }
