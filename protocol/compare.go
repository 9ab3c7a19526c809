package protocol

// Survey asks a partition what it knows of definitions, and how far it has
// applied the lanes of the one that asks. It is a read.
type Survey struct{ From PartitionID }

// ListDefinitions asks for the sums of definitions, deleted ones included, in the
// order of their keys. It is a read.
type ListDefinitions struct {
	After Key
	Limit int32
}

// FetchDefinitions asks for definitions and their resources. The answer is a
// DefinitionReply with as many of the first as fit. It is a read.
type FetchDefinitions struct{ Keys []Key }

// Reconcile takes in what another partition has of this one's past: how far its
// lanes were applied and, at the deployment partition, definitions that it lacks
// or does not know to be deleted. It never leaves its leader.
type Reconcile struct {
	From        PartitionID
	Lanes       []LaneMark
	Definitions []Definition
	Bodies      []Body
}

// LaneMark is how far a lane was applied by its receiver.
type LaneMark struct {
	Lane  Lane
	Epoch uint64 // of the sender
	Seq   uint64
}

// Surveyed answers Survey. Epoch and Seq are those of the deployments' lane: of
// the deployment partition its own, of others those of their inbox.
type Surveyed struct {
	Epoch, Seq uint64
	Digest     Digest
	// First is the first row of that lane for the one that asked; 0: none.
	First uint64
	Lanes []LaneMark
}

// DefinitionSum is one definition in a list.
type DefinitionSum struct {
	Key     Key
	Sum     Sum
	Deleted bool
}

// DefinitionList answers ListDefinitions.
type DefinitionList struct{ List []DefinitionSum }

// The kinds.
func (*Survey) Kind() Kind           { return KindSurvey }
func (*ListDefinitions) Kind() Kind  { return KindListDefinitions }
func (*FetchDefinitions) Kind() Kind { return KindFetchDefinitions }
func (*Reconcile) Kind() Kind        { return KindReconcile }

// Intent names are ours: the original has no like of them.
func (*Survey) Intent() string           { return "SURVEY" }
func (*ListDefinitions) Intent() string  { return "LIST" }
func (*FetchDefinitions) Intent() string { return "FETCH" }
func (*Reconcile) Intent() string        { return "RECONCILE" }

func (*Surveyed) ReplyKind() ReplyKind       { return ReplySurveyed }
func (*DefinitionList) ReplyKind() ReplyKind { return ReplyDefinitionList }

func (c *Survey) encode(b []byte) []byte { return AppendUint(b, uint64(c.From)) }
func (c *Survey) decode(r *Reader)       { c.From = PartitionID(r.Uint()) }

func (c *ListDefinitions) encode(b []byte) []byte {
	return AppendInt(AppendInt(b, int64(c.After)), int64(c.Limit))
}
func (c *ListDefinitions) decode(r *Reader) { c.After, c.Limit = r.Key(), int32(r.Int()) }

func (c *FetchDefinitions) encode(b []byte) []byte {
	b = AppendUint(b, uint64(len(c.Keys)))
	for _, k := range c.Keys {
		b = AppendInt(b, int64(k))
	}
	return b
}

func (c *FetchDefinitions) decode(r *Reader) {
	c.Keys = make([]Key, r.Count(1))
	for i := range c.Keys {
		c.Keys[i] = r.Key()
	}
}

func (c *Reconcile) encode(b []byte) []byte { return b }
func (c *Reconcile) decode(*Reader)         {}

func (p *Surveyed) encode(b []byte) []byte {
	b = AppendDigest(AppendUint(AppendUint(b, p.Epoch), p.Seq), &p.Digest)
	b = AppendUint(AppendUint(b, p.First), uint64(len(p.Lanes)))
	for _, l := range p.Lanes {
		b = AppendUint(AppendUint(append(b, byte(l.Lane)), l.Epoch), l.Seq)
	}
	return b
}

func (p *Surveyed) decode(r *Reader) {
	*p = Surveyed{Epoch: r.Uint(), Seq: r.Uint(), Digest: ReadDigest(r), First: r.Uint()}
	p.Lanes = make([]LaneMark, r.Count(3))
	for i := range p.Lanes {
		p.Lanes[i] = LaneMark{Lane: Lane(r.Byte()), Epoch: r.Uint(), Seq: r.Uint()}
	}
}

func (p *DefinitionList) encode(b []byte) []byte {
	b = AppendUint(b, uint64(len(p.List)))
	for i := range p.List {
		d := &p.List[i]
		b = AppendBool(append(AppendInt(b, int64(d.Key)), d.Sum[:]...), d.Deleted)
	}
	return b
}

func (p *DefinitionList) decode(r *Reader) {
	p.List = make([]DefinitionSum, r.Count(2+len(Sum{})))
	for i := range p.List {
		p.List[i] = DefinitionSum{Key: r.Key(), Sum: r.sum(), Deleted: r.Bool()}
	}
}
