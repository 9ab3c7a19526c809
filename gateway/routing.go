package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// ring is what routing remembers: how many partitions there are, and whose turn
// it is.
type ring struct {
	next    atomic.Uint64
	counted atomic.Pointer[counts]
}

// counts are numbers of partitions, as [Topology] has them.
type counts struct {
	active, existing, messages int
	at                         time.Time
}

// recount is how long the numbers of partitions are believed.
const recount = time.Second

func (s *Server) counts() *counts {
	if c := s.ring.counted.Load(); c != nil && c.active > 0 && time.Since(c.at) < recount {
		return c
	}
	return s.count()
}

func (s *Server) count() *counts {
	t := s.broker.Topology()
	c := &counts{active: t.Partitions, existing: max(t.Partitions, t.Existing), messages: t.Messages, at: time.Now()}
	if c.messages == 0 {
		c.messages = c.active
	}
	s.ring.counted.Store(c)
	return c
}

// partitions returns how many the cluster has, 0 if that is not known yet.
func (s *Server) partitions() int { return s.counts().active }

// messagePartitions is by how many partitions messages are spread, 0 if that is
// not known yet.
func (s *Server) messagePartitions() int { return s.counts().messages }

// byKey runs a command where its key says. The partition of a key is printed
// as the original does, so that of a negative key is negative.
func (s *Server) byKey(ctx context.Context, key int64, cmd protocol.Command) (protocol.Reply, error) {
	n := key >> 51
	if n < 1 || n > int64(s.counts().existing) && n > int64(s.count().existing) {
		return nil, noPartition(n)
	}
	return s.ask(ctx, protocol.PartitionID(n), cmd)
}

// ask runs a command on one partition, within the request timeout.
func (s *Server) ask(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	reply, err := s.call(ctx, p, cmd)
	return s.inTime(ctx, p, reply, err)
}

// askAnyone runs a command on some partition, within the request timeout.
func (s *Server) askAnyone(ctx context.Context, cmd protocol.Command) (protocol.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	p, reply, err := s.anywhere(ctx, cmd)
	return s.inTime(ctx, p, reply, err)
}

// inTime says of a command whose time was up before its answer was there that
// nobody knows.
func (s *Server) inTime(ctx context.Context, p protocol.PartitionID, reply protocol.Reply, err error) (protocol.Reply, error) {
	if err != nil && expired(ctx, err) {
		return nil, outcomeUnknown(timedOut(p, s.address(p), s.cfg.RequestTimeout))
	}
	return reply, err
}

// expired tells whether err comes from the end of ctx's time, so that it says
// nothing about the command itself.
func expired(ctx context.Context, err error) bool {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, protocol.ErrOutcomeUnknown)
}

// anywhere runs a command on some partition: the next in turn that has a
// leader, and another only after a refusal. It returns the partition that
// answered last. A rejection is an answer: nobody else is asked.
func (s *Server) anywhere(ctx context.Context, cmd protocol.Command) (protocol.PartitionID, protocol.Reply, error) {
	candidates := s.candidates()
	var refusals []*protocol.Refusal
	full := false
	for i, p := range candidates {
		try := ctx
		if i < len(candidates)-1 || full {
			try = impatient(ctx)
		}
		reply, err := s.call(try, p, cmd)
		var refusal *protocol.Refusal
		if err == nil || !errors.As(err, &refusal) || refusal.Code == protocol.NoPartition {
			return p, reply, err
		}
		full = full || refusal.Code == protocol.Full
		refusals = append(refusals, refusal)
		if ctx.Err() != nil {
			break
		}
	}
	if len(refusals) == 1 && len(candidates) == 1 {
		return candidates[0], nil, refusals[0]
	}
	return candidates[len(candidates)-1], nil, noneAccepted(refusals)
}

// candidates lists partitions in the order in which to try them. If no leader
// is known at all, that may be our ignorance: then all are tried.
func (s *Server) candidates() []protocol.PartitionID {
	n := max(s.partitions(), 1)
	start := int((s.ring.next.Add(1) - 1) % uint64(n))
	led := make([]protocol.PartitionID, 0, n)
	for i := range n {
		if p := protocol.PartitionID((start+i)%n + 1); s.broker.HasLeader(p) {
			led = append(led, p)
		}
	}
	if len(led) > 0 {
		return led
	}
	for i := range n {
		led = append(led, protocol.PartitionID((start+i)%n+1))
	}
	return led
}

// address names the leader of a partition in texts.
func (s *Server) address(p protocol.PartitionID) string {
	for _, n := range s.broker.Topology().Nodes {
		for _, np := range n.Partitions {
			if np.ID == p && np.Role == RoleLeader {
				return n.Host + ":" + strconv.Itoa(n.Port)
			}
		}
	}
	return "unknown"
}

// as is the reply as the type that answers its command.
func as[R protocol.Reply](reply protocol.Reply, err error) (r R, _ error) {
	if err != nil {
		return r, err
	}
	r, ok := reply.(R)
	if !ok {
		return r, fmt.Errorf("%w: unexpected reply %T", protocol.ErrInternal, reply)
	}
	return r, nil
}
