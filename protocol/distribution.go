package protocol

// Lane is an ordered way from one partition to another. Lanes keep a big
// deployment from delaying a message.
type Lane uint8

// LaneDeployments carries definitions.
const LaneDeployments Lane = 1

// Hash is the SHA-256 of a resource's bytes.
type Hash [32]byte

// Definition is one executable process of a deployment, as every partition
// that has it keeps it.
type Definition struct {
	Key          Key
	ProcessID    string
	Version      int32
	ResourceName string
	Hash         Hash
	DeploymentID Key
	Index        int32 // among the processes of the resource
	Duplicate    bool  // in a deploy reply: it was there before
}

// Deployment is what travels to the other partitions: definitions, and by
// hash the resources that they need.
type Deployment struct {
	Key         Key
	Definitions []Definition
	Time        int64 // ms since 1970, when it was made
}

// Body is the content of a resource, found by its hash.
type Body struct {
	Hash Hash
	Data []byte
}

// Item is one row of an outbox.
type Item struct {
	Seq        uint64
	Deployment Deployment
}

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
}

// Pulled brings a definition that was pulled on a miss. Seq is the deployment
// lane's counter when it was read.
type Pulled struct {
	Source     PartitionID
	Epoch      uint64
	Seq        uint64
	Definition Definition
	Body       Body
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

// AppendDefinition encodes d.
func AppendDefinition(b []byte, d *Definition) []byte {
	b = AppendInt(b, int64(d.Key))
	b = AppendString(b, d.ProcessID)
	b = AppendInt(b, int64(d.Version))
	b = AppendString(b, d.ResourceName)
	b = append(b, d.Hash[:]...)
	b = AppendInt(b, int64(d.DeploymentID))
	b = AppendInt(b, int64(d.Index))
	return AppendBool(b, d.Duplicate)
}

// ReadDefinition decodes what AppendDefinition made.
func ReadDefinition(r *Reader) Definition {
	return Definition{
		Key: r.Key(), ProcessID: r.String(), Version: int32(r.Int()), ResourceName: r.String(),
		Hash: r.Hash(), DeploymentID: r.Key(), Index: int32(r.Int()), Duplicate: r.Bool(),
	}
}

// Hash reads 32 bytes.
func (r *Reader) Hash() (h Hash) {
	if len(r.b) < len(h) {
		r.fail("hash")
		return h
	}
	copy(h[:], r.b)
	r.b = r.b[len(h):]
	return h
}

// AppendDeployment encodes d.
func AppendDeployment(b []byte, d *Deployment) []byte {
	b = AppendInt(b, int64(d.Key))
	b = AppendInt(b, d.Time)
	b = AppendUint(b, uint64(len(d.Definitions)))
	for i := range d.Definitions {
		b = AppendDefinition(b, &d.Definitions[i])
	}
	return b
}

// minDefinition is how many bytes a definition has at least: seven small
// fields and a hash.
const minDefinition = 7 + len(Hash{})

// ReadDeployment decodes what AppendDeployment made.
func ReadDeployment(r *Reader) Deployment {
	d := Deployment{Key: r.Key(), Time: r.Int()}
	d.Definitions = make([]Definition, r.Count(minDefinition))
	for i := range d.Definitions {
		d.Definitions[i] = ReadDefinition(r)
	}
	return d
}
