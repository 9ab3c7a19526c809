package grevy

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// A backup is all partitions as of moments that go together (docs/adr/0024). The
// node that is asked lets all leaders hold, then cut, then go on; that takes
// milliseconds. Afterwards it reads what was kept, piece by piece, from wherever
// it was kept, and passes it on.

// kindCut asks a node for a piece of a cut that it keeps. The question: uint
// partition, uint token, uint offset, u8 what (cutRead, cutSum, cutDrop, cutKeep). The answer: u8 what
// (cutNone and a text, or cutPiece), and for a piece bool end, uint bytes,
// 32 bytes of SHA-256, data.
const kindCut remote.Kind = 8

const (
	cutRead byte = iota + 1
	cutSum
	cutDrop
	cutKeep
)

const (
	cutNone byte = iota + 1
	cutPiece
)

// backupFormat is the version of what a backup consists of.
const backupFormat = 1

// Numbers of a backup.
const (
	holdTime  = 5 * time.Second // that partitions hold at most
	pieceSize = 1 << 20
	pieceTime = 30 * time.Second // that one piece may take
	sumTime   = time.Hour        // that a node may take to read all it has of a partition
)

// Backup gives all partitions as of one moment to send, part by part: a header,
// then for each partition data in order and an end. It fails if a partition has no
// leader, or gets another one before it was read: then nothing was changed, and it
// can be begun again. What send has returned ends it.
func (b *Broker) Backup(ctx context.Context, send func(*adminpb.BackupPart) error) error {
	plan, err := b.readPlan(ctx)
	if err != nil {
		return err
	}
	if plan.Operation != nil {
		return fmt.Errorf("the cluster is being changed (%s): it can be backed up once that is done", plan.Operation.Request.String())
	}
	header := &adminpb.BackupHeader{
		ClusterId: plan.ClusterID, Partitions: int32(plan.Active), MessagePartitions: int32(plan.MessagePartitions()),
		Taken: time.Now().UnixMilli(), Version: buildVersion(), Format: backupFormat,
	}
	token := rand.Uint64() | 1
	defer b.dropCuts(plan.Active, token)
	if err := b.cutAll(ctx, plan.Active, token); err != nil {
		return err
	}
	defer b.keepCuts(ctx, plan.Active, token)()
	// An operation that began after the first look may have added a partition that is
	// told of what is in the cuts, and is not cut itself.
	if now, err := b.readPlan(ctx); err != nil || now.Operation != nil || now.Active != plan.Active {
		return errors.Join(err, errors.New("the cluster was changed while it was to be backed up: begin again once that is done"))
	}
	if err := send(&adminpb.BackupPart{Part: &adminpb.BackupPart_Header{Header: header}}); err != nil {
		return err
	}
	for p := 1; p <= plan.Active; p++ {
		if err := b.sendCut(ctx, protocol.PartitionID(p), token, send); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return nil
}

// cutAll lets all partitions hold, cuts them, and lets them go on.
func (b *Broker) cutAll(ctx context.Context, n int, token uint64) error {
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	release := func() {
		ending, cancel := context.WithTimeout(b.life, holdTime)
		defer cancel()
		// Who does not hear it goes on by itself when the time is over.
		if err := b.askAll(ending, n, func() protocol.Command { return &protocol.Hold{Token: token} }); err != nil {
			b.Log.Info("a partition could not be told that a backup is taken", "err", err)
		}
	}
	begun := time.Now()
	defer func() {
		release()
		b.Log.Info("partitions were held for a backup", "took", time.Since(begun))
	}()
	if err := b.askAll(ctx, n, func() protocol.Command { return &protocol.Hold{Token: token, For: holdTime.Milliseconds()} }); err != nil {
		return fmt.Errorf("not all partitions could be asked to hold: %w", err)
	}
	if err := b.askAll(ctx, n, func() protocol.Command { return &protocol.Cut{Token: token} }); err != nil {
		return fmt.Errorf("not all partitions could be cut: %w", err)
	}
	return nil
}

// askAll asks partitions 1 to n at the same time, and waits for all answers.
func (b *Broker) askAll(ctx context.Context, n int, c func() protocol.Command) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = b.Execute(ctx, protocol.PartitionID(i+1), c()) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sendCut reads one partition's cut.
func (b *Broker) sendCut(ctx context.Context, p protocol.PartitionID, token uint64, send func(*adminpb.BackupPart) error) error {
	node, err := b.findCut(ctx, p, token)
	if err != nil {
		return err
	}
	for offset := int64(0); ; {
		piece, err := b.pieceOf(ctx, node, p, token, offset, cutRead)
		if err != nil {
			return err
		}
		offset += int64(len(piece.Data))
		if err := send(&adminpb.BackupPart{Part: &adminpb.BackupPart_Data{Data: &adminpb.BackupData{Partition: int32(p), Data: piece.Data}}}); err != nil {
			return err
		}
		if piece.End {
			return send(&adminpb.BackupPart{Part: &adminpb.BackupPart_End{End: endOf(p, &piece)}})
		}
	}
}

func endOf(p protocol.PartitionID, piece *partitionactor.Piece) *adminpb.BackupEnd {
	return &adminpb.BackupEnd{Partition: int32(p), Bytes: piece.Bytes, Sha256: piece.Sum[:]}
}

// findCut finds the node that keeps a cut: the one that leads, or has just led.
func (b *Broker) findCut(ctx context.Context, p protocol.PartitionID, token uint64) (protocol.NodeID, error) {
	nodes := []protocol.NodeID{directory{b}.Leader(p), protocol.NodeID(b.NodeID)}
	for _, n := range b.nodes() {
		nodes = append(nodes, protocol.NodeID(n))
	}
	asked := map[protocol.NodeID]bool{protocol.NoNode: true}
	var errs []error
	for _, n := range nodes {
		if asked[n] {
			continue
		}
		asked[n] = true
		_, err := b.pieceOf(ctx, n, p, token, 0, cutRead)
		if err == nil {
			return n, nil
		}
		errs = append(errs, fmt.Errorf("node %d: %w", n, err))
	}
	return protocol.NoNode, errors.Join(errs...)
}

// pieceOf asks a node for a piece, again if an answer is lost.
func (b *Broker) pieceOf(ctx context.Context, n protocol.NodeID, p protocol.PartitionID, token uint64, offset int64, what byte) (partitionactor.Piece, error) {
	if n == protocol.NodeID(b.NodeID) {
		return b.ownPiece(p, token, offset, what)
	}
	limit := pieceTime
	if what == cutSum {
		limit = sumTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	question := binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(p)), token), uint64(offset))
	for {
		answer, err := b.post.Request(ctx, n, kindCut, append(question, what))
		if err == nil {
			return readPiece(answer)
		}
		if !b.post.Reachable(n) || !pause(ctx, 50*time.Millisecond) {
			return partitionactor.Piece{}, fmt.Errorf("%w: %w", protocol.Refuse(protocol.Unreachable, p, "its cut is on node %d", n), err)
		}
	}
}

// ownPiece does what is asked of this node's cut.
func (b *Broker) ownPiece(p protocol.PartitionID, token uint64, offset int64, what byte) (partitionactor.Piece, error) {
	part := b.part(p)
	if part == nil {
		return partitionactor.Piece{}, partitionactor.ErrNoCut
	}
	switch what {
	case cutRead:
		return part.ReadCut(token, offset, pieceSize)
	case cutSum:
		return part.SumCut(token)
	case cutKeep:
		return partitionactor.Piece{End: true}, part.KeepCut(token)
	}
	part.DropCut(token)
	return partitionactor.Piece{End: true}, nil
}

// tellCut answers another node.
func (b *Broker) tellCut(_ context.Context, _ protocol.NodeID, payload []byte, reply func([]byte)) {
	r := protocol.NewReader(payload)
	p, token, offset, what := protocol.PartitionID(r.Uint()), r.Uint(), int64(r.Uint()), r.Byte()
	err := r.Done()
	var piece partitionactor.Piece
	if err == nil {
		piece, err = b.ownPiece(p, token, offset, what)
	}
	if err != nil {
		reply(append([]byte{cutNone}, err.Error()...))
		return
	}
	answer := protocol.AppendUint(protocol.AppendBool([]byte{cutPiece}, piece.End), uint64(piece.Bytes))
	reply(append(append(answer, piece.Sum[:]...), piece.Data...))
}

func readPiece(answer []byte) (piece partitionactor.Piece, err error) {
	r := protocol.NewReader(answer)
	if r.Byte() != cutPiece {
		return piece, fmt.Errorf("%w: %s", partitionactor.ErrNoCut, r.Rest())
	}
	piece.End, piece.Bytes = r.Bool(), int64(r.Uint())
	piece.Sum = r.Hash()
	if err := r.Err(); err != nil {
		return piece, err
	}
	piece.Data = r.Rest()
	return piece, nil
}

// dropCuts lets all nodes forget a backup. Who does not hear it forgets by itself.
func (b *Broker) dropCuts(n int, token uint64) {
	ctx, cancel := context.WithTimeout(b.life, time.Second)
	defer cancel()
	b.tellCuts(ctx, n, token, cutDrop)
}

// keepCuts lets all nodes keep a backup while it is read, one partition after the
// other and as slowly as somebody takes it. end ends that.
func (b *Broker) keepCuts(ctx context.Context, n int, token uint64) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	patience := cmp.Or(b.Limits.Cut, partitionactor.DefaultCut)
	var wg sync.WaitGroup
	wg.Go(func() {
		for pause(ctx, patience/4) {
			asking, cancel := context.WithTimeout(ctx, patience/4)
			b.tellCuts(asking, n, token, cutKeep)
			cancel()
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// tellCuts tells all nodes that are there something of the cuts of partitions 1
// to n, whoever keeps them.
func (b *Broker) tellCuts(ctx context.Context, n int, token uint64, what byte) {
	var wg sync.WaitGroup
	for p := 1; p <= n; p++ {
		for _, node := range b.nodes() {
			if node == b.NodeID || b.post.Reachable(protocol.NodeID(node)) {
				wg.Go(func() {
					_, err := b.pieceOf(ctx, protocol.NodeID(node), protocol.PartitionID(p), token, 0, what)
					if err != nil && !errors.Is(err, partitionactor.ErrNoCut) { // most nodes do not keep it
						b.Log.Debug("a node was not told of the cuts of a backup", "node", node, "err", err)
					}
				})
			}
		}
	}
	wg.Wait()
}

// buildVersion is the version of grevy in this program, as far as it knows.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == "github.com/grevy-io/grevy" && m.Version != "" {
			return strings.Trim(m.Version, "()")
		}
	}
	return "devel"
}
