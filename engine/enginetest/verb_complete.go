package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// complete job=J [vars=JSON]: J is a key or an element's id.
func init() { verbs["complete"] = complete }

func complete(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.CompleteJob{JobKey: job, Variables: c.bytes("vars")})
}
