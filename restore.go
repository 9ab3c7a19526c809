package grevy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// Restore fills an empty cluster with what Backup gave: next returns the parts in
// the same order, then io.EOF. The cluster must have as many partitions; nodes and
// replication factor are its own. Its partitions take no commands until all have
// all rows, which is verified by their sums. If it fails, it can be begun again
// with the same backup. It returns the ends of the partitions as they are now.
func (b *Broker) Restore(ctx context.Context, next func() (*adminpb.BackupPart, error)) ([]*adminpb.BackupEnd, error) {
	first, err := next()
	if err != nil {
		return nil, err
	}
	r := &restoration{b: b, header: first.GetHeader()}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	for {
		part, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = r.take(ctx, part)
		}
		if err != nil && r.current != nil {
			err = fmt.Errorf("partition %d: %w", r.current.p, err)
		}
		if err != nil {
			return nil, errors.Join(err, r.abandon())
		}
	}
	return r.finish(ctx)
}

// restoration is a restore under way.
type restoration struct {
	b       *Broker
	header  *adminpb.BackupHeader
	name    string
	done    []bool // by partition - 1: it was restored before
	ends    []*adminpb.BackupEnd
	current *filling
}

// filling is the partition that is being filled.
type filling struct {
	r       *restoration
	p       protocol.PartitionID
	ops     *raftadapter.StreamOps
	sum     hash.Hash
	bytes   int64
	writes  []byte
	body    []protocol.Op // of the resource that is coming in
	sending *errgroup.Group
	ctx     context.Context
}

// Numbers of a restoration.
const (
	restoreBytes  = 256 << 10 // of one command, about
	restoreFlying = 4         // commands under way
	restoreTime   = 30 * time.Second
)

func (r *restoration) begin(ctx context.Context) error {
	h := r.header
	if h == nil {
		return errors.New("a backup begins with a header, but this does not")
	}
	plan, err := r.b.readPlan(ctx)
	if err != nil {
		return err
	}
	switch {
	case h.Format != backupFormat:
		return fmt.Errorf("the backup has format %d, this version reads %d", h.Format, backupFormat)
	case plan.Operation != nil:
		return fmt.Errorf("the cluster is being changed (%s): it can be filled once that is done", plan.Operation.Request.String())
	case int(h.Partitions) != plan.Active:
		return fmt.Errorf("the backup has %d partitions, this cluster %d: start an empty one with --partitions %d", h.Partitions, plan.Active, h.Partitions)
	case h.MessagePartitions < 1 || h.MessagePartitions > h.Partitions:
		return fmt.Errorf("the backup spreads messages over %d of %d partitions", h.MessagePartitions, h.Partitions)
	}
	r.name = fmt.Sprintf("%s of %s", h.ClusterId, time.UnixMilli(h.Taken).UTC().Format(time.RFC3339Nano))
	r.done, r.ends = make([]bool, h.Partitions), make([]*adminpb.BackupEnd, h.Partitions)
	for i := range r.done {
		reply, err := r.sure(ctx, protocol.PartitionID(i+1), &protocol.Restore{Step: protocol.RestoreBegin, Backup: r.name})
		if err != nil {
			return err
		}
		r.done[i] = reply.Done
	}
	return nil
}

// sure executes a step until its outcome is known: it may happen twice.
func (r *restoration) sure(ctx context.Context, p protocol.PartitionID, c *protocol.Restore) (*protocol.Restored, error) {
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	for {
		restored, err := ask[*protocol.Restored](ctx, r.b, p, c)
		if errors.Is(err, protocol.ErrOutcomeUnknown) && pause(ctx, 50*time.Millisecond) {
			continue
		}
		return restored, err
	}
}

func (r *restoration) take(ctx context.Context, part *adminpb.BackupPart) error {
	switch part := part.GetPart().(type) {
	case *adminpb.BackupPart_Data:
		f, err := r.of(ctx, part.Data.GetPartition())
		if err != nil {
			return err
		}
		return f.write(part.Data.GetData())
	case *adminpb.BackupPart_End:
		f, err := r.of(ctx, part.End.GetPartition())
		if err != nil {
			return err
		}
		if err := f.end(part.End); err != nil {
			return err
		}
		r.current, r.ends[f.p-1] = nil, part.End
		return nil
	}
	return errors.New("a backup has one header, data and ends, but this has something else")
}

// of is the filling of a partition: one after another.
func (r *restoration) of(ctx context.Context, p int32) (*filling, error) {
	switch {
	case p < 1 || int(p) > len(r.ends):
		return nil, fmt.Errorf("there is no partition %d in a backup of %d", p, len(r.ends))
	case r.ends[p-1] != nil:
		return nil, fmt.Errorf("partition %d comes twice", p)
	case r.current != nil && r.current.p != protocol.PartitionID(p):
		return nil, fmt.Errorf("partition %d comes before the end of partition %d", p, r.current.p)
	case r.current == nil:
		f := &filling{r: r, p: protocol.PartitionID(p), sum: sha256.New()}
		f.ops = raftadapter.NewStreamOps(f.op)
		f.sending, f.ctx = errgroup.WithContext(ctx)
		f.sending.SetLimit(restoreFlying)
		r.current = f
	}
	return r.current, nil
}

// abandon waits for what is under way.
func (r *restoration) abandon() error {
	if r.current == nil {
		return nil
	}
	return r.current.sending.Wait()
}

func (f *filling) write(data []byte) error {
	f.sum.Write(data)
	f.bytes += int64(len(data))
	if f.r.done[f.p-1] {
		return nil
	}
	_, err := f.ops.Write(data)
	return err
}

// op takes one write of the partition. A resource gets its reference before its
// first bytes, so that no node that starts meanwhile takes it for one that nobody
// needs. The same reference comes once more among the rows.
func (f *filling) op(op *protocol.Op) error {
	if op.Kind != protocol.OpBody {
		return f.add(op)
	}
	f.body = append(f.body, *op)
	if !op.Last {
		return nil
	}
	size := 0
	for i := range f.body {
		size += len(f.body[i].Value)
	}
	ref := raftadapter.ContentRef(protocol.Hash(op.Key), size)
	err := f.add(&ref)
	for i := range f.body {
		err = errors.Join(err, f.add(&f.body[i]))
	}
	f.body = f.body[:0]
	return err
}

func (f *filling) add(op *protocol.Op) error {
	f.writes = protocol.AppendOp(f.writes, op)
	if len(f.writes) < restoreBytes {
		return nil
	}
	f.send()
	return f.ctx.Err()
}

// send brings what was gathered to the partition, beside what comes in. Its order
// does not matter: no two writes of a backup say different things of one row.
func (f *filling) send() {
	c := &protocol.Restore{Step: protocol.RestoreWrites, Backup: f.r.name, Writes: f.writes}
	f.writes = nil
	if len(c.Writes) == 0 {
		return
	}
	f.sending.Go(func() error {
		_, err := f.r.sure(f.ctx, f.p, c)
		return err
	})
}

// end waits until all of it is there, and compares what came in with what was sent.
func (f *filling) end(e *adminpb.BackupEnd) error {
	if !f.r.done[f.p-1] {
		if err := f.ops.End(); err != nil {
			return errors.Join(err, f.sending.Wait())
		}
		f.send()
	}
	if err := f.sending.Wait(); err != nil {
		return err
	}
	if f.bytes != e.Bytes || !bytes.Equal(f.sum.Sum(nil), e.Sha256) {
		return fmt.Errorf("%w: it came as %d bytes with another sum than the %d that were sent", protocol.ErrCorrupt, f.bytes, e.Bytes)
	}
	return nil
}

// finish verifies what the partitions have and lets them work.
func (r *restoration) finish(ctx context.Context) ([]*adminpb.BackupEnd, error) {
	for i, e := range r.ends {
		if e == nil {
			return nil, errors.Join(fmt.Errorf("the backup ends before the end of partition %d", i+1), r.abandon())
		}
	}
	if err := r.verify(ctx); err != nil {
		return nil, err
	}
	if err := r.spreadMessages(ctx); err != nil {
		return nil, err
	}
	// Partition 1 last: as long as it is not there nothing new is deployed.
	for p := len(r.ends); p >= 1; p-- {
		if r.done[p-1] {
			continue
		}
		if _, err := r.sure(ctx, protocol.PartitionID(p), &protocol.Restore{Step: protocol.RestoreEnd, Backup: r.name}); err != nil && !r.ended(ctx, protocol.PartitionID(p)) {
			return nil, err
		}
	}
	r.await(ctx)
	return r.ends, nil
}

// await waits until all partitions take commands. They do so soon, whether it is
// seen here or not.
func (r *restoration) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	if err := r.b.askAll(ctx, len(r.ends), func() protocol.Command { return &protocol.Watermark{} }); err != nil {
		r.b.Log.Warn("the cluster is restored, but not all partitions answer yet", "err", err)
	}
}

// ended tells whether a partition has ended its restoration: its answer was lost.
func (r *restoration) ended(ctx context.Context, p protocol.PartitionID) bool {
	reply, err := r.sure(ctx, p, &protocol.Restore{Step: protocol.RestoreBegin, Backup: r.name})
	return err == nil && reply.Done
}

// verify compares the streams of what is there now with those of the backup. What
// was restored before is at work, and different by now.
func (r *restoration) verify(ctx context.Context) error {
	token := rand.Uint64() | 1
	defer r.b.dropCuts(len(r.ends), token)
	if err := r.b.cutAll(ctx, len(r.ends), token); err != nil {
		return err
	}
	defer r.b.keepCuts(ctx, len(r.ends), token)()
	for i, e := range r.ends {
		if r.done[i] {
			continue
		}
		p := protocol.PartitionID(i + 1)
		node, err := r.b.findCut(ctx, p, token)
		if err != nil {
			return err
		}
		now, err := r.b.pieceOf(ctx, node, p, token, 0, cutSum)
		if err != nil {
			return err
		}
		if now.Bytes != e.Bytes || !bytes.Equal(now.Sum[:], e.Sha256) {
			return fmt.Errorf("%w: partition %d is not what it was: %d bytes with SHA-256 %x instead of %d with %x. Restore again into empty data directories", protocol.ErrCorrupt, p, now.Bytes, now.Sum, e.Bytes, e.Sha256)
		}
	}
	return nil
}

// spreadMessages lets messages be spread over as many partitions as before: they
// find those who wait for them by it.
func (r *restoration) spreadMessages(ctx context.Context) error {
	plan, err := r.b.readPlan(ctx)
	if err != nil {
		return err
	}
	next := plan.SpreadMessages(int(r.header.MessagePartitions))
	if next == nil {
		return nil
	}
	if err := r.b.writePlan(ctx, plan, next); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	for !r.known(ctx, next.Version) {
		if !pause(ctx, 50*time.Millisecond) {
			return fmt.Errorf("not all nodes have heard over how many partitions messages are spread: %w", ctx.Err())
		}
	}
	return nil
}

// known tells whether all nodes that live know a version of the plan.
func (r *restoration) known(ctx context.Context, version uint64) bool {
	for n := range r.b.aliveNodes() {
		if info, err := r.b.infoOf(ctx, n); err != nil || info.Plan < version {
			return false
		}
	}
	return true
}
