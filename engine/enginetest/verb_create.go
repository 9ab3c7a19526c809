package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
)

// create [PROCESS] [key=K] [version=N] [vars=JSON] [at=ELEMENT,…] [result]
// [fetch=NAME,…] [known=SEQ]: version is -1, the latest, if left out.
func init() { verbs["create"] = create }

func create(t *transcript, c *call) error {
	cmd := &protocol.CreateInstance{
		ProcessID: c.text("process"), Variables: c.bytes("vars"), StartElements: c.list("at"),
		AwaitResult: c.has("result"), FetchVariables: c.list("fetch"),
	}
	if w := c.word(0); w != "result" && w != "" {
		cmd.ProcessID = w
	}
	if s := c.text("key"); s != "" {
		cmd.DefinitionKey, _ = parseKey(s)
	}
	version, err := c.number("version", -1)
	if err != nil {
		return err
	}
	known, err := c.number("known", 0)
	if err != nil {
		return err
	}
	cmd.Version, cmd.DeploymentSeq = int32(version), uint64(known)
	return t.execute(c, cmd)
}
