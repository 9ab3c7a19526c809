package enginetest

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// publish NAME [key=KEY] [ttl=D] [id=ID] [vars=JSON] [known=SEQ]: a message, kept
// for an hour if nothing else is said.
func init() { verbs["publish"] = publish }

func publish(t *transcript, c *call) error {
	ttl, err := c.millis("ttl", time.Hour)
	if err != nil {
		return err
	}
	known, err := c.number("known", 0)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.PublishMessage{
		Name: c.word(0), CorrelationKey: c.text("key"), TimeToLive: ttl, MessageID: c.text("id"), Variables: c.bytes("vars"),
		DeploymentSeq: uint64(known),
	})
}
