package enginetest

// refresh lets the leader read the store as it is now, as an idle one must do
// now and then: other partitions of its node write resources too.
func init() { verbs["refresh"] = refresh }

func refresh(_ *transcript, c *call) error {
	c.part.over.Rebase(c.part.view(), c.part.over.Packing()-1-uint64(len(c.part.Flying)))
	return nil
}
