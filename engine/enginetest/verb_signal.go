package enginetest

import "github.com/grevy-io/grevy/protocol"

// signal NAME [vars=JSON]: broadcasts a signal.
func init() { verbs["signal"] = signal }

func signal(t *transcript, c *call) error {
	return t.execute(c, &protocol.BroadcastSignal{Name: c.word(0), Variables: c.bytes("vars")})
}
