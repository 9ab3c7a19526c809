package distributor

import (
	"context"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

// Anti-entropy (architecture §3; Zeebe issue #63712): when a leadership begins and
// every minute a partition compares the digest of its definitions with that of
// the deployment partition, which compares with all others. Digests say something
// only at the same seq of the deployments' lane. A difference is repaired by content:
// each takes what it lacks, see compare_walk.go. Nothing here is kept: the next
// leadership compares anew.

// comparison is that with one other partition.
type comparison struct {
	*Carrier
	actors.Comparison
	busy   bool
	try    int    // answers to a former one come too late
	rounds int    // of this comparison
	cancel func() // of the next try after one that failed; nil: there is none
	theirs *protocol.Surveyed
	own    *protocol.Surveyed
}

const (
	compareEvery  = time.Minute
	compareAgain  = 5 * time.Second        // after one that failed
	compareSoon   = 200 * time.Millisecond // while rows are on their way
	compareRounds = 6
)

// compareAll compares with whom this partition has to, now and every minute.
func (d *Carrier) compareAll() {
	if d.config.Partitions == nil {
		d.settleFirst(0)
		return
	}
	if d.first == nil {
		d.first = map[protocol.PartitionID]bool{}
		for p := 2; p <= d.config.Partitions(); p++ {
			d.first[protocol.PartitionID(p)] = true
		}
	}
	defer d.settleFirst(0)
	if one := protocol.DeploymentPartition; d.out.Partition() != one {
		d.compare(one, true)
	} else {
		for p := 2; p <= d.config.Partitions(); p++ {
			d.compare(protocol.PartitionID(p), true)
		}
	}
	d.raising++
	d.raiseLanes(1)
	d.host.After(d.config.CompareEvery, d.compareAll)
}

// settleFirst notes that the first comparison with a partition is over. The
// deployment partition may count on above what all have seen once all are.
func (d *Carrier) settleFirst(p protocol.PartitionID) {
	delete(d.first, p)
	if len(d.first) == 0 && !d.settled {
		d.settled = true
		d.out.Compared()
	}
}

// raiseLanes asks one partition after another how far it has applied what this
// one has told it, once in a leadership: a partition that was brought back from
// an older state would use the numbers of former rows again, and its rows would
// be taken for repeats.
func (d *Carrier) raiseLanes(p protocol.PartitionID) {
	for self := d.out.Partition(); int(p) <= d.config.Partitions() && (p == self || d.raised[p]); {
		p++
	}
	if int(p) > d.config.Partitions() {
		return
	}
	try := d.raising
	next := func(err error) {
		if d.raising != try {
			return
		}
		if d.raised[p] = err == nil; err != nil {
			d.config.Log.Info("lanes not compared yet", "with", p, "err", err)
		}
		d.raiseLanes(p + 1)
	}
	ask(d, p, &protocol.Survey{From: d.out.Partition()}, func(theirs *protocol.Surveyed, err error) {
		if err != nil || len(theirs.Lanes) == 0 {
			next(err)
			return
		}
		d.reconcile(&protocol.Reconcile{From: p, Lanes: theirs.Lanes}, func(_ *protocol.Received, err error) { next(err) })
	})
}

// compareFailed tries again what could not be asked, as a link came up.
func (d *Carrier) compareFailed() {
	if d.config.Partitions == nil {
		return
	}
	for p := 1; p <= d.config.Partitions(); p++ {
		if c := d.compared[protocol.PartitionID(p)]; c != nil && c.Error != "" {
			d.compare(c.Target, false)
		}
	}
}

// compare begins a comparison. One that is under way for so long that the next
// is due begins anew: what it has taken is kept.
func (d *Carrier) compare(p protocol.PartitionID, anew bool) {
	c := d.compared[p]
	if c == nil {
		c = &comparison{Carrier: d, Comparison: actors.Comparison{Target: p}}
		d.compared[p] = c
	}
	if !c.busy || anew {
		c.calm()
		c.try++
		c.busy, c.rounds = true, 0
		c.round()
	}
}

// ask executes a command and goes on in a later turn.
func ask[R protocol.Reply](d *Carrier, p protocol.PartitionID, cmd protocol.Command, then func(R, error)) {
	ctx, cancel := context.WithTimeout(d.life, d.config.Timeout)
	d.out.Execute(ctx, p, cmd, func(reply protocol.Reply, err error) {
		cancel()
		answered(d, reply, err, then)
	})
}

// reconcile does the same with a command of the partition's own.
func (d *Carrier) reconcile(c *protocol.Reconcile, then func(*protocol.Received, error)) {
	d.out.Reconcile(c, func(reply protocol.Reply, err error) { answered(d, reply, err, then) })
}

func answered[R protocol.Reply](d *Carrier, reply protocol.Reply, err error, then func(R, error)) {
	r, ok := reply.(R)
	if err == nil && !ok {
		err = errUnknownAnswer
	}
	d.host.Turn(func() { then(r, err) })
}

// or goes on with a comparison unless a question failed: then it is over.
func or[R protocol.Reply](c *comparison, then func(R)) func(R, error) {
	try := c.try
	return func(r R, err error) {
		switch {
		case c.try != try:
		case err != nil:
			c.over(err)
		default:
			then(r)
		}
	}
}

// round asks the other one first: what it says was acknowledged here must be
// here by the time this partition is read.
func (c *comparison) round() {
	c.rounds++
	self := c.out.Partition()
	ask(c.Carrier, c.Target, &protocol.Survey{From: self}, or(c, func(theirs *protocol.Surveyed) {
		ask(c.Carrier, self, &protocol.Survey{From: c.Target}, or(c, func(own *protocol.Surveyed) {
			c.theirs, c.own = theirs, own
			if self == protocol.DeploymentPartition {
				c.judgeOther()
			} else {
				c.judgeFirst()
			}
		}))
	}))
}

func (c *comparison) same() bool { return c.theirs.Epoch == c.own.Epoch && c.theirs.Seq == c.own.Seq }

// judgeOther is for the deployment partition.
func (c *comparison) judgeOther() {
	theirs, own := c.theirs, c.own
	restored := theirs.Seq > own.Seq || theirs.Epoch != own.Epoch && !theirs.Digest.Empty()
	switch {
	case c.same() && theirs.Digest == own.Digest:
		c.agree()
	case c.same(), restored:
		c.walk(false)
	default:
		c.over(nil) // rows are pending for it, or it looks for what it lacks itself
	}
}

// judgeFirst compares with the deployment partition.
func (c *comparison) judgeFirst() {
	theirs, own := c.theirs, c.own
	behind := theirs.Epoch != own.Epoch || theirs.Seq > own.Seq
	switch {
	case c.same() && theirs.Digest == own.Digest:
		c.agree()
	case c.same():
		c.walk(false)
	case theirs.Epoch == 0 && own.Digest.Empty():
		c.agree() // nothing was ever deployed
	case behind && theirs.Epoch != 0 && theirs.First == 0:
		c.walk(true) // nobody is going to send it
	case c.rounds < compareRounds:
		try := c.try
		c.host.After(compareSoon<<c.rounds, func() { // rows are on their way
			if c.try == try && c.busy {
				c.round()
			}
		})
	default:
		c.over(nil)
	}
}

func (c *comparison) agree() {
	if c.Differs > 0 {
		c.config.Log.Info("definitions are equal again", "with", c.Target)
	}
	c.At, c.Differs, c.Why = c.host.Now().UnixMilli(), 0, ""
	c.over(nil)
}

// differ notes what a walk could not repair.
func (c *comparison) differ(n int, why string) {
	c.At, c.Differs, c.Why = c.host.Now().UnixMilli(), n, why
	if n > 0 {
		c.config.Log.Warn("definitions differ", "with", c.Target, "definitions", n, "why", why)
	}
	c.over(nil)
}

func (c *comparison) over(err error) {
	c.settleFirst(c.Target)
	c.busy, c.theirs, c.own = false, nil, nil
	c.Error = ""
	if err != nil {
		c.Error = fmt.Sprintf("partition %d could not be compared with: %v", c.Target, err)
		c.calm()
		c.cancel = c.host.After(compareAgain, func() { c.compare(c.Target, false) })
	}
}

// calm lets go of the next try: another one begins now, or is timed.
func (c *comparison) calm() {
	if c.cancel != nil {
		c.cancel()
		c.cancel = nil
	}
}

func (d *Carrier) comparisons() (list []actors.Comparison) {
	if d.config.Partitions == nil {
		return nil
	}
	for p := 1; p <= d.config.Partitions(); p++ {
		if c := d.compared[protocol.PartitionID(p)]; c != nil {
			list = append(list, c.Comparison)
		}
	}
	return list
}
