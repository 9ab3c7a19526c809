package protocol

// The numbers of the commands on the cluster's plan and of their reply.
const (
	KindReadPlan  Kind      = 56
	KindWritePlan Kind      = 57
	ReplyPlan     ReplyKind = 30
)

// ReadPlan asks partition 1 for the cluster's plan. It is a read.
type ReadPlan struct{}

// WritePlan replaces the cluster's plan, if it still is of the expected version.
// Only partition 1 takes it. What is in a plan means nothing to the engine.
type WritePlan struct {
	Expected uint64 // 0: there is none yet
	Plan     []byte
}

// Plan answers both with the plan as it is then. Version 0: none was written
// yet, the cluster is as it began.
type Plan struct {
	Version uint64
	Plan    []byte
}

// Kind is KindReadPlan.
func (*ReadPlan) Kind() Kind { return KindReadPlan }

// Kind is KindWritePlan.
func (*WritePlan) Kind() Kind { return KindWritePlan }

// ReplyKind is ReplyPlan.
func (*Plan) ReplyKind() ReplyKind { return ReplyPlan }

// Intent is ours: the original has no like of it.
func (*ReadPlan) Intent() string { return "READ_PLAN" }

// Intent is ours: the original has no like of it.
func (*WritePlan) Intent() string { return "WRITE_PLAN" }

func (c *ReadPlan) encode(b []byte) []byte  { return b }
func (c *ReadPlan) decode(*Reader)          {}
func (c *WritePlan) encode(b []byte) []byte { return AppendBytes(AppendUint(b, c.Expected), c.Plan) }
func (c *WritePlan) decode(r *Reader)       { c.Expected, c.Plan = r.Uint(), r.Bytes() }
func (c *Plan) encode(b []byte) []byte      { return AppendBytes(AppendUint(b, c.Version), c.Plan) }
func (c *Plan) decode(r *Reader)            { c.Version, c.Plan = r.Uint(), r.Bytes() }
