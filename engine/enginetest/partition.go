package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// Partition is one partition with its leader, its entries in flight and the
// store they are applied to.
type Partition struct {
	ID      protocol.PartitionID
	cluster *Cluster
	kv      *memkv.KV
	models  *engine.Models
	epoch   uint64

	engine *engine.Engine
	over   *state.Overlay
	tx     *state.Tx
	bodies []protocol.Body // of the entry being packed
	// records of the entry being packed, as ops.
	records []byte
	// Flying are the packed entries that are not applied yet, oldest first.
	Flying  []Entry
	counter int64 // of keys, as applied
	// restored: it was brought back from a copy.
	restored bool
	// Failed are the units of work that the last command could not do.
	Failed []string
	broken string // units that panic
	// Applied, unless nil, is told of each entry that is applied.
	Applied func(*Entry) error
}

// Entry is what a leader proposes: writes and the resources they name.
type Entry struct {
	Seq  uint64
	Data []byte
	// Puts and Deletes count the keys written; bodies are not among them.
	Puts, Deletes int
}

// Keys is how many keys the entry writes: what an entry costs.
func (e *Entry) Keys() int { return e.Puts + e.Deletes }

var generation = uint32(1)

func (p *Partition) view() *state.View {
	return state.NewView(p.kv.Snapshot(), state.Prefix(p.ID, generation))
}

// lead begins a leadership from what is applied.
func (p *Partition) lead() error {
	over, err := state.NewOverlay(p.view(), 1)
	if err != nil {
		return fmt.Errorf("begin leadership: %w", err)
	}
	p.over, p.tx, p.bodies, p.records, p.Flying = over, state.NewTx(over), nil, nil, nil
	p.newEngine()
	return nil
}

// newEngine begins with an engine that remembers nothing.
func (p *Partition) newEngine() {
	p.engine = engine.New(engine.Config{
		Partition: p.ID, Partitions: p.cluster.Partitions, MessagePartitions: p.cluster.MessagePartitions, Models: p.models, Epoch: p.epoch,
		MaxJobBytes: p.cluster.MaxJobBytes, ShareAbove: p.cluster.ShareAbove, Records: p.cluster.Records, Before: p.fault,
	})
}

// Crash throws the leader and everything that is not applied away.
func (p *Partition) Crash() error {
	p.over.Base().Close()
	return p.lead()
}

// Execute lets the leader decide a command. What it writes lies in the overlay
// afterwards, unless the command was rejected or missed a definition.
func (p *Partition) Execute(cmd protocol.Command) (engine.Outcome, error) {
	return p.decide(cmd, nil, false)
}

// ExecuteAsked does the same once the deployment partition has been asked for
// what is missing, and could not answer.
func (p *Partition) ExecuteAsked(cmd protocol.Command) (engine.Outcome, error) {
	return p.decide(cmd, nil, true)
}

// travelled makes of a row's command what its receiver reads.
func travelled(cmd *protocol.Command) error {
	r, ok := (*cmd).(*protocol.Receive)
	if !ok {
		return nil
	}
	read, err := protocol.DecodeCommand(protocol.EncodeCommand(nil, r))
	if err != nil {
		return fmt.Errorf("rows that nobody can read: %w", err)
	}
	*cmd = read
	return nil
}

func (p *Partition) decide(cmd protocol.Command, asked []engine.Asked, settled bool) (engine.Outcome, error) {
	switch cmd.(type) {
	case *protocol.Tick, *protocol.Continue:
		settled = true // a leader's own commands ask for nothing
	}
	if err := travelled(&cmd); err != nil {
		return engine.Outcome{}, err
	}
	p.engine.Asked, p.engine.Settled = asked, settled
	out, err := p.run(cmd)
	if err != nil {
		return out, err
	}
	if out.Err != nil || out.Miss != nil || out.Behind {
		if out.Miss == nil && !p.tx.Empty() {
			return out, fmt.Errorf("%T was rejected but has written", cmd)
		}
		return out, nil
	}
	if p.tx.Empty() {
		return out, nil // as a leader answers it: without an entry
	}
	p.bodies = append(p.bodies, p.tx.Bodies()...)
	if recs := p.tx.Records(); recs != nil {
		p.records = protocol.AppendOp(p.records, &protocol.Op{Kind: protocol.OpRecords, Value: recs})
	}
	p.tx.Commit()
	return out, nil
}

// run executes a command as a leader does.
func (p *Partition) run(cmd protocol.Command) (engine.Outcome, error) {
	p.Failed = nil
	switch cmd.(type) {
	case *protocol.Tick, *protocol.Continue, *protocol.Receive:
		return p.engine.Insist(p.tx, cmd, p.cluster.Now, p.cluster.CommandBytes, func(err error, alone *engine.Unit) {
			if alone != nil {
				p.Failed = append(p.Failed, fmt.Sprintf("%s: %v", alone, err))
			}
		})
	}
	p.tx.Reset()
	return p.engine.Execute(p.tx, cmd, p.cluster.Now)
}

// Break makes units of work panic whose text, with short keys, contains this one; ""
// ends that.
func (p *Partition) Break(text string) { p.broken = text }

func (p *Partition) fault(u engine.Unit) {
	if p.broken != "" && strings.Contains(readable(u.String())+".", p.broken+".") {
		panic("broken by the test")
	}
}

// Abandon lets the leader decide a command and throws its writes away, as is
// done with one whose entry would be too large.
func (p *Partition) Abandon(cmd protocol.Command) error {
	p.tx.Reset()
	_, err := p.engine.Execute(p.tx, cmd, p.cluster.Now)
	p.tx.Reset()
	p.engine.Discard()
	return err
}

// Damage writes a row to the store as no leader would, and begins a new leadership.
func (p *Partition) Damage(row, stored []byte) error {
	op := state.Op{Key: append(state.Prefix(p.ID, generation), row...), Value: stored}
	if err := p.kv.Update([]state.Op{op}); err != nil {
		return err
	}
	return p.Crash()
}

// chunk is the largest piece of a body in one op (architecture §3).
const chunk = 256 << 10

// Pack ends the entry being packed and lets it fly.
func (p *Partition) Pack() (Entry, error) {
	e := Entry{Seq: p.over.Packing()}
	for _, b := range p.bodies {
		e.Data = appendBody(e.Data, b)
	}
	e.Data = append(e.Data, p.records...)
	p.bodies, p.records = nil, nil
	e.Data, _ = p.over.Pack(e.Data)
	err := e.each(func(o *protocol.Op) error {
		switch o.Kind {
		case protocol.OpPut:
			e.Puts++
		case protocol.OpDelete:
			e.Deletes++
		}
		return nil
	})
	p.Flying = append(p.Flying, e)
	return e, err
}

func appendBody(b []byte, body protocol.Body) []byte {
	for i := 0; ; i++ {
		n := min(len(body.Data), chunk)
		o := protocol.Op{Kind: protocol.OpBody, Key: body.Hash[:], Value: body.Data[:n], Chunk: uint32(i), Last: n == len(body.Data)}
		b = protocol.AppendOp(b, &o)
		if body.Data = body.Data[n:]; o.Last {
			return b
		}
	}
}

func (e *Entry) each(fn func(*protocol.Op) error) error {
	r := protocol.NewReader(e.Data)
	for r.Len() > 0 {
		o, err := protocol.ReadOp(r)
		if err != nil {
			return fmt.Errorf("read op: %w", err)
		}
		if err := fn(&o); err != nil {
			return err
		}
	}
	return nil
}

// ErrNothingFlies says that Apply was called without an entry in flight.
var ErrNothingFlies = errors.New("no entry is in flight")

// Apply writes the oldest entry in flight to the store, and tells the leader.
// It checks the keys that the entry brings: none may have been minted before.
func (p *Partition) Apply() error {
	if len(p.Flying) == 0 {
		return ErrNothingFlies
	}
	e := p.Flying[0]
	p.Flying = p.Flying[1:]
	ops, err := p.ops(&e)
	if err != nil {
		return err
	}
	if err := p.kv.Update(ops); err != nil {
		return fmt.Errorf("apply entry %d: %w", e.Seq, err)
	}
	p.over.Rebase(p.view(), e.Seq)
	if p.Applied != nil {
		if err := p.Applied(&e); err != nil {
			return err
		}
	}
	return p.noteCounter()
}

// ops turns an entry into writes of the store.
func (p *Partition) ops(e *Entry) ([]state.Op, error) {
	var ops []state.Op
	prefix := state.Prefix(p.ID, generation)
	err := e.each(func(o *protocol.Op) error {
		if o.Kind == protocol.OpRecords {
			return nil
		}
		if o.Kind == protocol.OpBody {
			ops = append(ops, state.Op{Key: state.BodyKey(protocol.Hash(o.Key), o.Chunk), Value: o.Value})
			return nil
		}
		ops = append(ops, state.Op{Key: append(bytes.Clone(prefix), o.Key...), Value: o.Value, Delete: o.Kind == protocol.OpDelete})
		return p.checkMinted(o)
	})
	return ops, err
}

// minted are the tables with one row per key that a partition mints.
var minted = map[state.Table]bool{
	state.TableElement: true, state.TableJob: true, state.TableIncident: true,
	state.TableDefinition: true, state.TableDeployment: true, state.TableContinue: true,
}

// checkMinted makes sure that a row which is new has a key above all that were
// minted in earlier entries.
func (p *Partition) checkMinted(o *protocol.Op) error {
	if o.Kind != protocol.OpPut || !minted[state.Table(o.Key[0])] {
		return nil
	}
	key := protocol.Key(number(o.Key, 0))
	if key.Partition() != p.ID {
		return nil // minted by the deployment partition
	}
	old, err := p.over.Base().Raw(o.Key)
	if err != nil {
		return err
	}
	later, err := p.over.Base().Raw(state.TableLater.OfKey(key))
	if err != nil {
		return err
	}
	if old == nil && later == nil && key.Counter() <= p.counter { // later: minted for an instance that was to begin
		return fmt.Errorf("key %d is minted again: an entry before had reached %d", key, p.counter)
	}
	return nil
}

func (p *Partition) noteCounter() error {
	b, err := p.over.Base().Get(append(state.TableMeta.Key(7), "counter"...))
	if err == nil && len(b) == 8 {
		p.counter = int64(number(b, 0))
	}
	return err
}

// CommitAll packs and applies everything.
func (p *Partition) CommitAll() error {
	if _, err := p.Pack(); err != nil {
		return err
	}
	for len(p.Flying) > 0 {
		if err := p.Apply(); err != nil {
			return err
		}
	}
	if n := p.over.Len(); n != 0 {
		return fmt.Errorf("%d keys lie over the base although all is applied", n)
	}
	return nil
}
