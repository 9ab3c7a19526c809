package enginetest

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// activate-jobs [TYPE] [max=N] [worker=W] [timeout=D] [fetch=NAME,…] [bytes=N] [park]
func init() { verbs["activate-jobs"] = activateJobs }

func activateJobs(t *transcript, c *call) error {
	cmd := &protocol.ActivateJobs{Type: c.text("type"), Worker: c.text("worker"), FetchVariables: c.list("fetch"), Park: c.has("park")}
	if w := c.word(0); w != "park" && w != "" {
		cmd.Type = w
	}
	if _, given := c.args["worker"]; !given {
		cmd.Worker = "w"
	}
	count, err := c.number("max", 100)
	if err != nil {
		return err
	}
	cmd.Max = int32(count)
	if cmd.MaxBytes, err = c.number("bytes", 0); err != nil {
		return err
	}
	if cmd.Timeout, err = c.millis("timeout", time.Minute); err != nil {
		return err
	}
	return t.execute(c, cmd)
}
