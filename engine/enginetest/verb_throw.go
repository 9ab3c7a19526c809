package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// throw job=J code=C [message=TEXT] [vars=JSON]
func init() { verbs["throw"] = throw }

func throw(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.ThrowError{JobKey: job, Code: c.text("code"), Message: c.text("message"), Variables: c.bytes("vars")})
}
