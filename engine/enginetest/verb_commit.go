package enginetest

import "strconv"

// commit [N] applies the N oldest entries in flight; without N it ends the
// entry being packed and applies all.
func init() { verbs["commit"] = commit }

func commit(t *transcript, c *call) error {
	if n := c.word(0); n != "" {
		count, err := strconv.Atoi(n)
		for range count {
			if err == nil {
				err = c.part.Apply()
			}
		}
		return err
	}
	if t.mode == modePack {
		e, err := c.part.Pack()
		if err != nil {
			return err
		}
		c.print("%s", wrote(&e))
	}
	return c.part.CommitAll()
}
