package enginetest

import "github.com/grevy-io/grevy/protocol"

// await-jobs TYPE
func init() { verbs["await-jobs"] = awaitJobs }

func awaitJobs(t *transcript, c *call) error {
	return t.execute(c, &protocol.AwaitJobs{Type: c.word(0)})
}
