package enginetest

import (
	"errors"

	"github.com/grevy-io/grevy/protocol"
)

// pulled on=P [seq=N] [wrong]: brings the last pull's answer, as if read at seq.
func init() { verbs["pulled"] = pulled }

func pulled(t *transcript, c *call) error {
	if t.pulled == nil {
		return errors.New("nothing was pulled")
	}
	seq, err := c.number("seq", int64(t.pulled.Seq))
	if err != nil {
		return err
	}
	body := protocol.Body{Hash: t.pulled.Definition.Hash, Data: t.pulled.Body}
	if c.has("wrong") {
		body.Data = []byte("something else")
	}
	return t.execute(c, &protocol.Pulled{
		Source: protocol.DeploymentPartition, Epoch: t.pulled.Epoch, Seq: uint64(seq), Definition: t.pulled.Definition, Body: body,
	})
}
