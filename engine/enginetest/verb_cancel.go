package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// cancel instance=I: I is a key or a process's id.
func init() { verbs["cancel"] = cancel }

func cancel(t *transcript, c *call) error {
	instance, err := t.find(c, "instance", state.TableElement)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.CancelInstance{InstanceKey: instance})
}
