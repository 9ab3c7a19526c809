package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// yield job=J [until=N]: gives back a job that is locked until N ms from now;
// without it, until its deadline.
func init() { verbs["yield"] = yield }

func yield(t *transcript, c *call) error {
	job, err := t.find(c, "job", state.TableJob)
	if err != nil {
		return err
	}
	contents, err := c.part.Contents()
	if err != nil {
		return err
	}
	deadline := int64(0)
	if j := contents.Jobs[job]; j != nil {
		deadline = j.Deadline
	}
	until, err := c.number("until", deadline-t.cluster.Now)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.YieldJobs{Keys: []protocol.Key{job}, Deadlines: []int64{t.cluster.Now + until}})
}
