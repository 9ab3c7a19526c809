package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// update-retries job=J retries=N
func init() { verbs["update-retries"] = updateRetries }

func updateRetries(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	retries, err := c.number("retries", 0)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.UpdateJobRetries{JobKey: job, Retries: int32(retries)})
}
