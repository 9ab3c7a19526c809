package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// fail job=J [retries=N] [message=TEXT] [back-off=D] [vars=JSON]
func init() { verbs["fail"] = fail }

func fail(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	retries, err := c.number("retries", 0)
	if err != nil {
		return err
	}
	backOff, err := c.millis("back-off", 0)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.FailJob{
		JobKey: job, Retries: int32(retries), Message: c.text("message"), BackOff: backOff, Variables: c.bytes("vars"),
	})
}
