package protocol

// AwaitDistributed asks the deployment partition to answer once every other
// partition has a result for what stands in its outbox up to a seq. It is a read.
type AwaitDistributed struct {
	Seq uint64
	// Deployment, if any, is the one whose refusals the answer lists.
	Deployment Key
	// Wait bounds the wait, in ms; then the answer lists what is pending.
	Wait int64
	// Reachable: do not wait for partitions that cannot be reached.
	Reachable bool
}

// Kind is KindAwaitDistributed.
func (*AwaitDistributed) Kind() Kind { return KindAwaitDistributed }

// Intent is ours: the original has no like of it.
func (*AwaitDistributed) Intent() string { return "AWAIT_DISTRIBUTED" }

func (c *AwaitDistributed) encode(b []byte) []byte {
	b = AppendInt(AppendUint(b, c.Seq), int64(c.Deployment))
	return AppendBool(AppendInt(b, c.Wait), c.Reachable)
}

func (c *AwaitDistributed) decode(r *Reader) {
	*c = AwaitDistributed{Seq: r.Uint(), Deployment: r.Key(), Wait: r.Int(), Reachable: r.Bool()}
}

// Distribution answers AwaitDistributed: the partitions that lack something yet,
// and those that refused the deployment.
type Distribution struct {
	Pending []PendingPush
	Refused []RefusedPush
}

// ReplyKind is ReplyDistribution.
func (*Distribution) ReplyKind() ReplyKind { return ReplyDistribution }

func (p *Distribution) encode(b []byte) []byte {
	return appendPushes(b, p.Pending, p.Refused)
}

func (p *Distribution) decode(r *Reader) { p.Pending, p.Refused = readPushes(r) }

func appendPushes(b []byte, pending []PendingPush, refused []RefusedPush) []byte {
	b = AppendUint(b, uint64(len(pending)))
	for _, p := range pending {
		b = AppendInt(AppendUint(b, uint64(p.Partition)), p.Since)
		b = AppendString(AppendInt(b, int64(p.Attempts)), p.Error)
	}
	b = AppendUint(b, uint64(len(refused)))
	for _, p := range refused {
		b = AppendString(AppendUint(b, uint64(p.Partition)), p.Reason)
	}
	return b
}

func readPushes(r *Reader) (pending []PendingPush, refused []RefusedPush) {
	pending = make([]PendingPush, r.Count(4))
	for i := range pending {
		pending[i] = PendingPush{Partition: PartitionID(r.Uint()), Since: r.Int(), Attempts: int32(r.Int()), Error: r.String()}
	}
	refused = make([]RefusedPush, r.Count(2))
	for i := range refused {
		refused[i] = RefusedPush{Partition: PartitionID(r.Uint()), Reason: r.String()}
	}
	return pending, refused
}
