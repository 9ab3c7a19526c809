package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grevy-io/grevy/protocol"
)

// The names of the waiting mode: a deployment or deletion is answered when all
// partitions have it. Zeebe's users have asked for it since 2021 (#6488, #23156).
const (
	// waitKey is the request's metadata: a duration, or "reachable" and one.
	waitKey = "grevy-wait-distributed"
	// distributedKey is the trailer of the answer: "2 of 3; missing 3 (why)".
	distributedKey = "grevy-distributed"
)

// Wait says for how long a deployment is waited for; 0: not at all.
type Wait struct {
	Limit time.Duration
	// Reachable: not for partitions that cannot be reached now.
	Reachable bool
}

// ParseWait reads "5s" or "reachable 5s".
func ParseWait(s string) (w Wait, err error) {
	rest, found := strings.CutPrefix(s, "reachable ")
	w.Reachable = found
	if w.Limit, err = time.ParseDuration(strings.TrimSpace(rest)); err != nil || w.Limit < 0 {
		return Wait{}, fmt.Errorf("%q is no duration as 5s, or reachable 5s", s)
	}
	return w, nil
}

// DistributionWaiter may be implemented by a [Broker]: AwaitDistributed returns
// when all partitions have what the deployments' lane holds up to seq, or at the
// end of ctx at the latest, with what is missing by then.
type DistributionWaiter interface {
	AwaitDistributed(ctx context.Context, seq uint64, deployment protocol.Key, reachable bool) Distribution
}

// Distribution tells how far a deployment has come.
type Distribution struct {
	Partitions int
	Missing    []Lacking // not there yet
	Refused    []Lacking // will never be there
}

// Lacking is a partition that does not have a deployment, and why.
type Lacking struct {
	Partition protocol.PartitionID
	Why       string
}

// String is the text of the trailer.
func (d Distribution) String() string {
	text := fmt.Sprintf("%d of %d", d.Partitions-len(d.Missing)-len(d.Refused), d.Partitions)
	for _, part := range []struct {
		word string
		list []Lacking
	}{{"missing", d.Missing}, {"refused by", d.Refused}} {
		for i, l := range part.list {
			sep := ", "
			if i == 0 {
				sep = "; " + part.word + " "
			}
			text += fmt.Sprintf("%s%d (%s)", sep, l.Partition, l.Why)
		}
	}
	return text
}

// waitOf reads what a request says of waiting, before anything is executed.
func (s *Server) waitOf(ctx context.Context) (Wait, error) {
	values := metadata.ValueFromIncomingContext(ctx, waitKey)
	if len(values) == 0 {
		return s.cfg.WaitDistributed, nil
	}
	w, err := ParseWait(values[len(values)-1])
	if err != nil {
		return w, invalidArgument("Expected metadata '%s' to say how long to wait for the distribution, but %s", waitKey, err)
	}
	return w, nil
}

// answerMargin is how long before its client's deadline a call is answered at the
// latest: what was deployed must not be told as a loss.
const answerMargin = 200 * time.Millisecond

// awaitDistributed waits for what was deployed and says in the trailer how far
// it has come. It never fails: the deployment is done.
func (s *Server) awaitDistributed(ctx context.Context, w Wait, seq uint64, deployment protocol.Key) {
	waiter, ok := s.broker.(DistributionWaiter)
	if !ok || w.Limit <= 0 {
		return
	}
	end := time.Now().Add(w.Limit)
	if d, ok := ctx.Deadline(); ok && d.Add(-answerMargin).Before(end) {
		end = d.Add(-answerMargin)
	}
	waiting, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	text := printable(waiter.AwaitDistributed(waiting, seq, deployment, w.Reachable).String())
	if err := grpc.SetTrailer(ctx, metadata.Pairs(distributedKey, text)); err != nil {
		s.log.Warn("no trailer for a call", "err", err)
	}
}

// printable makes a text fit for metadata, which takes no others.
func printable(s string) string {
	const most = 4000
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}
