package enginetest

import (
	"errors"
	"slices"

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
	bodies := slices.Clone(t.pulled.Bodies)
	if c.has("wrong") {
		bodies[0].Data = []byte("something else")
	}
	return t.execute(c, &protocol.Pulled{
		Source: protocol.DeploymentPartition, Epoch: t.pulled.Epoch, Seq: uint64(seq), Definitions: t.pulled.Definitions, Bodies: bodies,
	})
}
