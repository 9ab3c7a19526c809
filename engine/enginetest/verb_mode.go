package enginetest

import "fmt"

// mode each|lag|pack says when writes are committed; see session.go.
func init() { verbs["mode"] = setMode }

func setMode(t *transcript, c *call) error {
	switch m := mode(c.word(0)); m {
	case modeEach, modeLag, modePack:
		t.mode = m
		return nil
	}
	return fmt.Errorf("there is no mode %q", c.word(0))
}
