package engine

import "github.com/grevy-io/grevy/protocol"

// writePlan replaces the cluster's plan if nobody else has since it was read.
// Versions are counted here, so that each is given once.
func (r *run) writePlan(c *protocol.WritePlan) {
	version, _ := r.tx.Plan()
	switch {
	case r.e.Partition != protocol.DeploymentPartition:
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Expected to write the plan on partition 1, but this is partition %d", r.e.Partition))
		return
	case version != c.Expected:
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Expected plan %d, but it is %d by now", c.Expected, version))
		return
	}
	r.tx.SetPlan(version+1, c.Plan)
	r.out.Reply = &protocol.Plan{Version: version + 1, Plan: c.Plan}
}

func (r *run) readPlan() {
	version, plan := r.tx.Plan()
	r.out.Reply = &protocol.Plan{Version: version, Plan: plan}
}
