package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// update-timeout job=J timeout=D
func init() { verbs["update-timeout"] = updateTimeout }

func updateTimeout(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	timeout, err := c.millis("timeout", 0)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.UpdateJobTimeout{JobKey: job, Timeout: timeout})
}
