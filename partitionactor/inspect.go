package partitionactor

import (
	"cmp"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// inspect answers questions of operators from applied state, beside the
// leader's turn, so that a long list holds nobody up. They decide nothing, so
// they need no proof of leadership; that a deployment is everywhere does.
func (l *leader) inspect(r *request) bool {
	switch c := r.command.(type) {
	case *protocol.PartitionInfo:
		l.withLanes(func(s outboxStatus) { r.done(l.outbox.info(l.term, l.host.Exported().Problem, s)) })
	case *protocol.ListDeployments:
		l.withLanes(func(s outboxStatus) { r.done(l.outbox.deployments(c, s.lanes)) })
	case *protocol.ListIncidents:
		go func() { r.done(l.outbox.incidents(c)) }()
	case *protocol.ListInstances:
		go func() { r.done(l.outbox.instances(c)) }()
	case *protocol.InspectInstance:
		go func() { r.done(l.outbox.inspectInstance(c)) }()
	case *protocol.ListMessages:
		go func() { r.done(l.outbox.messages(c)) }()
	case *protocol.AwaitDistributed:
		l.awaitDistributed(c, r)
	default:
		return false
	}
	return true
}

// awaitDistributed lets the distributor say when the wait is over.
func (l *leader) awaitDistributed(c *protocol.AwaitDistributed, r *request) {
	if l.p.Distributor == nil {
		r.done(&protocol.Distribution{}, nil)
		return
	}
	out, host, m := l.outbox, l.host, answered{incarnation: l.incarnation, r: r}
	l.distributor(actors.AwaitDistributed{
		Seq: c.Seq, Until: l.host.Now().Add(time.Duration(c.Wait) * time.Millisecond), Reachable: c.Reachable,
		Reply: func(pending []actors.LaneStatus, ok bool) {
			if !ok {
				r.Undelivered()
				return
			}
			go func() {
				m.reply, m.err = out.distribution(c, pending)
				host.Post(m)
			}()
		},
	})
}

// onAnswered lets an answer wait for proof: a leader that was deposed without
// knowing it has no row of what was deployed since.
func (l *leader) onAnswered(m answered) {
	if l.ended || m.incarnation != l.incarnation {
		m.Undelivered()
		return
	}
	l.read(m.r, m.reply, m.err)
}

// Undelivered says that the leadership has ended in which it was found.
func (m answered) Undelivered() { m.r.Undelivered() }

func (o *outbox) distribution(c *protocol.AwaitDistributed, pending []actors.LaneStatus) (protocol.Reply, error) {
	reply := &protocol.Distribution{}
	for _, s := range pending {
		reply.Pending = append(reply.Pending, protocol.PendingPush{Partition: s.Target, Since: s.Oldest, Attempts: int32(s.Attempts), Error: s.Error})
	}
	err := o.read(func(tx *state.Tx) error {
		reply.Refused = o.refusals(tx, c.Deployment)
		return tx.Err()
	})
	return reply, err
}

// refusals lists the partitions that refused a deployment.
func (o *outbox) refusals(tx *state.Tx, deployment protocol.Key) (list []protocol.RefusedPush) {
	partitions, _ := o.p.layout()
	for p := 1; p <= partitions; p++ {
		if reason := tx.Get(state.RefusedKey(deployment, protocol.PartitionID(p))); reason != nil {
			list = append(list, protocol.RefusedPush{Partition: protocol.PartitionID(p), Reason: string(reason)})
		}
	}
	return list
}

// withLanes asks the distributor how it is doing and goes on elsewhere.
func (l *leader) withLanes(then func(outboxStatus)) {
	if l.p.Distributor == nil || l.restoring != "" {
		go then(outboxStatus{restoring: l.restoring})
		return
	}
	l.distributor(actors.OutboxStatus{Reply: func(lanes []actors.LaneStatus, compared []actors.Comparison) {
		go then(outboxStatus{lanes: lanes, compared: compared})
	}})
}

// outboxStatus is how a distributor is doing.
type outboxStatus struct {
	lanes     []actors.LaneStatus
	compared  []actors.Comparison
	restoring string // there is no distributor yet
}

// compareInfo sums up.
func (s *outboxStatus) compareInfo() (c protocol.CompareInfo) {
	for i, k := range s.compared {
		if i == 0 || k.At < c.At {
			c.At = k.At
		}
		c.Differs += int64(k.Differs)
		c.Repaired += int64(k.Repaired)
		c.Why, c.Error = cmp.Or(c.Why, k.Why), cmp.Or(c.Error, k.Error)
	}
	return c
}

func (s *outboxStatus) laneInfo() (list []protocol.LaneInfo) {
	for _, l := range s.lanes {
		if l.Pending > 0 || l.Error != "" {
			list = append(list, protocol.LaneInfo{Target: l.Target, Lane: l.Lane, Pending: int64(l.Pending), Oldest: l.Oldest, Attempts: int32(l.Attempts), Error: l.Error})
		}
	}
	return list
}

// maxCount bounds how many rows of a table are counted for a status.
const maxCount = 1_000_000

func (o *outbox) info(term uint64, recordLog string, s outboxStatus) (protocol.Reply, error) {
	info := &protocol.Info{Partition: o.p.Partition, Term: term, RecordLog: recordLog, Restoring: s.restoring, Lanes: s.laneInfo(), Compared: s.compareInfo()}
	for _, lane := range s.lanes {
		info.Pending += int64(lane.Pending)
		if lane.Pending > 0 && (info.OldestPending == 0 || lane.Oldest < info.OldestPending) {
			info.OldestPending = lane.Oldest
		}
	}
	view, index, _ := o.group.View()
	info.Applied = index
	info.JobsWaiting = count(view, []byte{byte(state.TableActivatable)})
	info.JobsActive = count(view, []byte{byte(state.TableDeadline)})
	info.Incidents = count(view, []byte{byte(state.TableIncident)})
	info.Instances = roots(view)
	info.Messages = count(view, []byte{byte(state.TableExpiry)})
	view.Close()
	err := o.read(func(tx *state.Tx) error {
		tx.CommittedIncidents(0, func(i *state.Incident) bool {
			info.OldestIncident = i.Since
			return false
		})
		if o.p.Partition == protocol.DeploymentPartition {
			info.DeploymentSeq = tx.LaneSeq(protocol.LaneDeployments)
		} else {
			info.DeploymentSeq = tx.Inbox(protocol.DeploymentPartition, protocol.LaneDeployments).Seq
		}
		return tx.Err()
	})
	return info, err
}

func count(v *state.View, prefix []byte) (n int64) {
	it := v.Iterate(prefix, nil)
	defer it.Close()
	for ; it.Valid() && n < maxCount; it.Next() {
		n++
	}
	return n
}

// roots counts process instances: element instances without a scope.
func roots(v *state.View) (n int64) {
	it := v.Iterate([]byte{byte(state.TableElement)}, nil)
	defer it.Close()
	for seen := 0; it.Valid() && seen < maxCount; it.Next() {
		seen++
		b, err := it.Value()
		if err == nil && len(b) > 1 && state.IsRoot(b[1:]) {
			n++
		}
	}
	return n
}

// deployments lists deployments, newest first, and where they are still missing.
func (o *outbox) deployments(c *protocol.ListDeployments, lanes []actors.LaneStatus) (protocol.Reply, error) {
	reply := &protocol.Deployments{}
	err := o.read(func(tx *state.Tx) error {
		reply.Seq = tx.LaneSeq(protocol.LaneDeployments)
		list, err := tx.Deployments(c.Before, int(c.Limit))
		if err != nil {
			return err
		}
		for i := range list {
			reply.List = append(reply.List, o.status(tx, &list[i], lanes))
		}
		return tx.Err()
	})
	return reply, err
}

func (o *outbox) status(tx *state.Tx, d *state.DeploymentRecord, lanes []actors.LaneStatus) protocol.DeploymentStatus {
	s := protocol.DeploymentStatus{Deployment: d.Deployment, Refused: o.refusals(tx, d.Key)}
	partitions, _ := o.p.layout()
	for p := 1; p <= partitions; p++ {
		target := protocol.PartitionID(p)
		if tx.Get(state.OutboxKey(target, protocol.LaneDeployments, d.Seq)) == nil {
			continue
		}
		push := protocol.PendingPush{Partition: target, Since: d.Time}
		for _, lane := range lanes {
			if lane.Target == target && lane.Lane == protocol.LaneDeployments {
				push.Attempts, push.Error = int32(lane.Attempts), lane.Error
			}
		}
		s.Pending = append(s.Pending, push)
	}
	return s
}
