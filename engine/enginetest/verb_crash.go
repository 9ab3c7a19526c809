package enginetest

// crash throws the leader, its overlay and all that is in flight away and goes
// on from what is committed.
func init() { verbs["crash"] = crash }

func crash(_ *transcript, c *call) error { return c.part.Crash() }
