package protocol

import "fmt"

// Lane is an ordered way from one partition to another. Lanes keep a big
// deployment from delaying a message.
type Lane uint8

// The lanes. The rows of deployments and signals go to all other partitions and
// have the same number for each; those of messages go to one, and are counted
// for each by itself.
const (
	LaneDeployments Lane = iota + 1 // definitions and their deletion
	LaneMessages                    // subscriptions: open, correlate, close
	LaneSignals                     // broadcasts
)

// String is the lane's name in metrics and reports.
func (l Lane) String() string {
	switch l {
	case LaneDeployments:
		return "deployments"
	case LaneMessages:
		return "messages"
	case LaneSignals:
		return "signals"
	}
	return fmt.Sprintf("lane%d", uint8(l))
}

// Broadcast tells whether each row of a lane goes to all other partitions.
func (l Lane) Broadcast() bool { return l != LaneMessages }

// Item is one row of an outbox: a command that the target is to execute once.
type Item struct {
	Seq     uint64
	Command Command
}

// Distribute makes a deployment's definitions known to a partition that did not
// decide it. It travels in an outbox only.
type Distribute struct{ Deployment Deployment }

// Unprocessable stands for a row that its receiver cannot read:
// it is refused, so that it does not block its lane. It never leaves its leader.
type Unprocessable struct{ Reason string }

// Kind is KindDistribute.
func (*Distribute) Kind() Kind { return KindDistribute }

// Intent is the command's name in texts.
func (*Distribute) Intent() string { return "DISTRIBUTE" }

// Kind is KindUnprocessable.
func (*Unprocessable) Kind() Kind { return KindUnprocessable }

// Intent is the command's name in texts.
func (*Unprocessable) Intent() string { return "REFUSE" }

func (c *Distribute) encode(b []byte) []byte { return AppendDeployment(b, &c.Deployment) }
func (c *Distribute) decode(r *Reader)       { c.Deployment = ReadDeployment(r) }

func (c *Unprocessable) encode(b []byte) []byte { return b }
func (c *Unprocessable) decode(*Reader)         {}

// Receive brings rows of another partition's outbox, oldest first and without
// a gap. Bodies holds what the sender could not find at the receiver's node.
type Receive struct {
	Source PartitionID
	Epoch  uint64
	Lane   Lane
	Items  []Item
	Bodies []Body
}

// RefusedItem is a row that the receiver could not apply, and why. It counts
// as acknowledged, so that nothing can block a lane (Zeebe issue #24300).
type RefusedItem struct {
	Seq    uint64
	Reason string
}

// Acknowledge notes at the sender what a target has applied: cumulative.
type Acknowledge struct {
	Acks []Ack
}

// Ack is one target's acknowledgement of one lane.
type Ack struct {
	Target  PartitionID
	Lane    Lane
	UpTo    uint64
	Refused []RefusedItem
	// From is the first row that may be there, 0 if nobody knows: stores pass
	// over what was deleted before one by one.
	From uint64
}

// Pulled brings definitions that were pulled on a miss. Seq is the deployment
// lane's counter when they were read.
type Pulled struct {
	Source      PartitionID
	Epoch       uint64
	Seq         uint64
	Definitions []Definition
	Bodies      []Body
}

// TakeBase brings definitions to a partition whose inbox lies below the
// sender's first row, for instance a restored one. The last of several sets the
// inbox.
type TakeBase struct {
	Source      PartitionID
	Epoch       uint64
	Lane        Lane
	UpTo        uint64 // what the inbox is set to; 0: more follows
	Definitions []Definition
	Bodies      []Body
}

// Kind is KindTakeBase.
func (*TakeBase) Kind() Kind { return KindTakeBase }

// Intent is ours: the original has no like of it.
func (*TakeBase) Intent() string { return "TAKE_BASE" }

func (*Receive) Kind() Kind     { return KindReceive }
func (*Acknowledge) Kind() Kind { return KindAcknowledge }
func (*Pulled) Kind() Kind      { return KindPulled }

// Intent names are ours: the original has no like of them.
func (*Receive) Intent() string     { return "RECEIVE" }
func (*Acknowledge) Intent() string { return "ACKNOWLEDGE" }
func (*Pulled) Intent() string      { return "PULLED" }
