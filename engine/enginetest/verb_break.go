package enginetest

// break TEXT: units of work that end with this text panic from now on, for
// instance 'timer #6'; without a text, none does.
func init() { verbs["break"] = breakUnits }

func breakUnits(_ *transcript, c *call) error {
	c.part.Break(c.word(0))
	return nil
}
