package enginetest

import "time"

// advance D moves the clock. Nothing happens by itself: see tick.
func init() { verbs["advance"] = advance }

func advance(t *transcript, c *call) error {
	d, err := time.ParseDuration(c.word(0))
	t.cluster.Now += d.Milliseconds()
	return err
}
