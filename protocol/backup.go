package protocol

// The numbers of what a backup and its restoration ask of partitions.
const (
	KindHold      Kind      = 60
	KindCut       Kind      = 61
	KindRestore   Kind      = 62
	ReplyRestored ReplyKind = 40
)

// Hold lets a partition take nothing in from others for a while, and forget
// nothing that it has sent them: while all hold, what each of them is at some
// moment goes together (docs/adr/0024). What clients ask for goes on. Only the
// leadership that has answered holds.
type Hold struct {
	Token uint64 // names the hold; one that is still in force under another name is ended
	For   int64  // ms, at most MaxHold; 0: end it
}

// MaxHold bounds Hold.For, in ms: what partitions tell each other waits so long.
const MaxHold = 10_000

// Cut keeps what the partition is now, on its leader's node, under the token of
// the hold in force. It is a read, and answered with proof. The answer is Done.
type Cut struct{ Token uint64 }

// RestoreStep says what a Restore does.
type RestoreStep uint8

// The steps of a restoration, in order.
const (
	// RestoreBegin: from now on the partition takes nothing but Restore. It must be
	// empty, or have begun with the same backup before.
	RestoreBegin RestoreStep = iota + 1
	// RestoreWrites brings writes.
	RestoreWrites
	// RestoreEnd lets the partition work with what it has.
	RestoreEnd
)

// Restore fills an empty partition with the rows of a backup. Each step may come
// twice: they set what they bring.
type Restore struct {
	Step   RestoreStep
	Backup string // names the backup
	Writes []byte // ops as in an entry (AppendOp)
}

// Restored answers Restore.
type Restored struct {
	// Done: this backup was restored before, all of it.
	Done bool
}

// Kind is KindHold.
func (*Hold) Kind() Kind { return KindHold }

// Kind is KindCut.
func (*Cut) Kind() Kind { return KindCut }

// Kind is KindRestore.
func (*Restore) Kind() Kind { return KindRestore }

// ReplyKind is ReplyRestored.
func (*Restored) ReplyKind() ReplyKind { return ReplyRestored }

// Intent is ours: the original has no like of it.
func (*Hold) Intent() string { return "HOLD" }

// Intent is ours: the original has no like of it.
func (*Cut) Intent() string { return "CUT" }

// Intent is ours: the original has no like of it.
func (*Restore) Intent() string { return "RESTORE" }

func (c *Hold) encode(b []byte) []byte { return AppendInt(AppendUint(b, c.Token), c.For) }
func (c *Hold) decode(r *Reader)       { c.Token, c.For = r.Uint(), r.Int() }
func (c *Cut) encode(b []byte) []byte  { return AppendUint(b, c.Token) }
func (c *Cut) decode(r *Reader)        { c.Token = r.Uint() }
func (c *Restore) encode(b []byte) []byte {
	return AppendBytes(AppendString(append(b, byte(c.Step)), c.Backup), c.Writes)
}
func (c *Restore) decode(r *Reader) {
	*c = Restore{Step: RestoreStep(r.Byte()), Backup: r.String(), Writes: r.Bytes()}
}
func (c *Restored) encode(b []byte) []byte { return AppendBool(b, c.Done) }
func (c *Restored) decode(r *Reader)       { c.Done = r.Bool() }
