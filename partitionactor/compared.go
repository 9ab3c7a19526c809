package partitionactor

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// A leader of the deployment partition that begins may have been brought back from
// an older state: what it would give to a definition, a key, a version and a number
// in the lane, others may have had from it already. So its first deployments and
// deletions wait until it has compared with the other partitions, which raises what
// it counts above all that they have seen (distributor/compare.go). Who cannot be
// asked is not waited for: then that is found later, and told as a conflict.

// compareWait is how long they wait at most.
const compareWait = time.Second

// compared is word that the first comparisons are over, or that the time is; its
// number is the incarnation.
type compared uint64

// unsure are commands that wait for it.
type unsure struct {
	still   bool // it has not come
	waiting []*request
}

// beginUnsure is called when a leader opens.
func (l *leader) beginUnsure() {
	partitions, _ := l.p.layout()
	if l.p.Partition != protocol.DeploymentPartition || partitions == 1 || l.p.Distributor == nil {
		return
	}
	l.unsure.still = true
	l.host.After(compareWait, compared(l.incarnation))
}

// waits takes a command that mints something for all partitions aside, as long as
// this one does not know what it has minted before.
func (l *leader) waits(r *request) bool {
	if !l.unsure.still {
		return false
	}
	switch r.command.(type) {
	case *protocol.Deploy, *protocol.DeleteResource:
		l.unsure.waiting = append(l.unsure.waiting, r)
		return true
	}
	return false
}

func (l *leader) onCompared() {
	waiting := l.unsure.waiting
	l.unsure = unsure{}
	for _, r := range waiting {
		l.take(r)
	}
}

func (u *unsure) fail(err error) {
	for _, r := range u.waiting {
		r.done(nil, err)
	}
	u.waiting = nil
}
