package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

const rounds = 200

func source(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 3))
}

func TestCommand_RoundTrip(t *testing.T) {
	rnd := source(t)
	for _, c := range commands() {
		for range rounds {
			want := random(rnd, reflect.New(reflect.TypeOf(c).Elem()).Interface().(protocol.Command))
			b := protocol.EncodeCommand(nil, want)
			got, err := protocol.DecodeCommand(b)
			if err != nil {
				t.Fatalf("%T: %v\n%+v", want, err, want)
			}
			plain(reflect.ValueOf(got))
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%T\n got %+v\nwant %+v", want, got, want)
			}
		}
	}
}

// Every command that is cut short or has more behind it is refused, never
// taken for another one.
func TestCommand_CutOrProlonged(t *testing.T) {
	rnd := source(t)
	for _, c := range commands() {
		b := protocol.EncodeCommand(nil, random(rnd, c))
		for n := range len(b) {
			if got, err := protocol.DecodeCommand(b[:n]); err == nil {
				t.Errorf("%T: %d of %d bytes are taken for %+v", c, n, len(b), got)
			}
		}
		if _, err := protocol.DecodeCommand(append(b, 0)); !errors.Is(err, protocol.ErrCorrupt) {
			t.Errorf("%T: a byte too many gives %v", c, err)
		}
	}
}

// A row that this version cannot read is refused by its receiver; it does not
// make the rows with it unreadable, which would block its lane for ever.
func TestReceive_ARowOfAnotherVersion(t *testing.T) {
	b := protocol.AppendUint(protocol.AppendUint([]byte{byte(protocol.KindReceive)}, 1), 7)
	b = protocol.AppendUint(append(b, byte(protocol.LaneDeployments)), 3)
	good := protocol.EncodeCommand(nil, &protocol.DeleteResource{ResourceKey: 5, Definitions: []protocol.Definition{}})
	for seq, row := range [][]byte{good, {250, 1, 2}, {byte(protocol.KindDistribute), 0xFF}} {
		b = protocol.AppendBytes(protocol.AppendUint(b, uint64(seq+1)), row)
	}
	c, err := protocol.DecodeCommand(append(b, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range c.(*protocol.Receive).Items {
		if _, refused := item.Command.(*protocol.Unprocessable); refused != (i > 0) {
			t.Errorf("row %d is read as %T", item.Seq, item.Command)
		}
	}
}

func TestCommand_LocalOnesDoNotTravel(t *testing.T) {
	for _, c := range local() {
		if got, err := protocol.DecodeCommand(protocol.EncodeCommand(nil, c)); err == nil {
			t.Errorf("%T comes out as %T", c, got)
		}
	}
}

func TestCommand_KindsAndIntents(t *testing.T) {
	seen := map[protocol.Kind]string{}
	for _, c := range append(commands(), local()...) {
		name := fmt.Sprintf("%T", c)
		if other := seen[c.Kind()]; other != "" {
			t.Errorf("%s and %s have the same kind", name, other)
		}
		seen[c.Kind()] = name
		if c.Intent() == "" {
			t.Errorf("%s has no intent", name)
		}
	}
}

func TestReply_RoundTrip(t *testing.T) {
	rnd := source(t)
	for _, p := range replies() {
		for range rounds {
			want := random(rnd, reflect.New(reflect.TypeOf(p).Elem()).Interface().(protocol.Reply))
			got, err := protocol.DecodeAnswer(protocol.EncodeAnswer(nil, want, nil))
			if err != nil {
				t.Fatalf("%T: %v\n%+v", want, err, want)
			}
			plain(reflect.ValueOf(got))
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%T\n got %+v\nwant %+v", want, got, want)
			}
		}
	}
}

// Nothing but zero values is the shortest encoding there is: no count may be
// refused for it.
func TestDeployment_Shortest(t *testing.T) {
	d := protocol.Definition{Kind: protocol.ProcessDefinition}
	want := protocol.Deployment{Definitions: []protocol.Definition{d, d, d}}
	r := protocol.NewReader(protocol.AppendDeployment(nil, &want))
	if got := protocol.ReadDeployment(r); r.Done() != nil || len(got.Definitions) != 3 {
		t.Errorf("%d definitions, %v", len(got.Definitions), r.Done())
	}
}

func TestAnswer_ErrorsKeepWhatTheyAre(t *testing.T) {
	cases := []error{
		protocol.Reject(protocol.NotFound, "CANCEL", "no %d", 7),
		protocol.Refuse(protocol.NotLeader, 3, "node %d", 2),
		fmt.Errorf("%w: leadership ended", protocol.ErrOutcomeUnknown),
		fmt.Errorf("%w: index out of range", protocol.ErrInternal),
	}
	for _, want := range cases {
		reply, got := protocol.DecodeAnswer(protocol.EncodeAnswer(nil, nil, want))
		if reply != nil || got.Error() != want.Error() {
			t.Errorf("%v comes out as %v, %v", want, reply, got)
		}
		for _, kind := range []error{protocol.ErrOutcomeUnknown, protocol.ErrInternal} {
			if errors.Is(got, kind) != errors.Is(want, kind) {
				t.Errorf("%v is no longer what it was", want)
			}
		}
	}
	wrapped := fmt.Errorf("ask node 2: %w", protocol.Refuse(protocol.Full, 1, ""))
	_, got := protocol.DecodeAnswer(protocol.EncodeAnswer(nil, nil, wrapped))
	var refusal *protocol.Refusal
	if !errors.As(got, &refusal) || refusal.Code != protocol.Full || refusal.Partition != 1 {
		t.Errorf("a wrapped refusal comes out as %v", got)
	}
	if _, got := protocol.DecodeAnswer(protocol.EncodeAnswer(nil, nil, errors.New("link broke"))); !errors.Is(got, protocol.ErrOutcomeUnknown) {
		t.Errorf("an unknown error comes out as %v, which is no unknown outcome", got)
	}
}

func TestEntry_RoundTrip(t *testing.T) {
	rnd := source(t)
	for range rounds {
		want := protocol.EntryHeader{Kind: protocol.EntryWrites}
		random(rnd, &want.Guard)
		b := protocol.AppendEntryHeader(nil, want)
		var ops []protocol.Op
		for range rnd.IntN(5) {
			o := protocol.Op{Kind: protocol.OpKind(1 + rnd.IntN(4)), Key: []byte(text(rnd) + "k")}
			if o.Kind == protocol.OpRecords {
				o.Key = nil
			}
			if o.Kind != protocol.OpDelete {
				o.Value = []byte(text(rnd) + "v")
			}
			if o.Kind == protocol.OpBody {
				o.Chunk, o.Last = rnd.Uint32(), rnd.IntN(2) == 0
			}
			ops = append(ops, o)
			b = protocol.AppendOp(b, &o)
		}
		readEntry(t, b, want, ops)
	}
}

func readEntry(t *testing.T, b []byte, want protocol.EntryHeader, ops []protocol.Op) {
	t.Helper()
	r := protocol.NewReader(b)
	got, err := protocol.ReadEntryHeader(r)
	if err != nil || got != want {
		t.Fatalf("header %+v, %v instead of %+v", got, err, want)
	}
	for i := range ops {
		o, err := protocol.ReadOp(r)
		if err != nil || !reflect.DeepEqual(o, ops[i]) {
			t.Fatalf("op %d: %+v, %v instead of %+v", i, o, err, ops[i])
		}
	}
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
}

func TestRecord_RoundTrip(t *testing.T) {
	rnd := source(t)
	for range rounds {
		want := protocol.Record{Value: []byte(text(rnd) + "v")}
		want.Key = protocol.Key(rnd.Int64())
		want.Type, want.Source = protocol.RecordType(1+rnd.IntN(3)), uint64(rnd.IntN(1000))
		want.ValueType, want.Intent = text(rnd), text(rnd)
		if want.Type == protocol.RecordRejection {
			want.RejectionType, want.Reason = text(rnd), text(rnd)
		}
		r := protocol.NewReader(protocol.AppendRecord(nil, &want))
		got, err := protocol.ReadRecord(r)
		if err != nil || r.Done() != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v instead of %+v", got, err, want)
		}
	}
	r := protocol.NewReader([]byte{9, 0, 0, 0, 0, 0})
	if _, err := protocol.ReadRecord(r); !errors.Is(err, protocol.ErrCorrupt) {
		t.Errorf("a record of type 9 gives %v", err)
	}
}

func TestEntry_RefusesWhatItDoesNotKnow(t *testing.T) {
	good := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: protocol.EntryOpen, Guard: protocol.Guard{Term: 1, Incarnation: 2}})
	for at, what := range []string{"version", "kind"} {
		bad := bytes.Clone(good)
		bad[at] = 99
		if _, err := protocol.ReadEntryHeader(protocol.NewReader(bad)); !errors.Is(err, protocol.ErrCorrupt) {
			t.Errorf("an entry of %s 99 gives %v", what, err)
		}
	}
	if _, err := protocol.ReadOp(protocol.NewReader([]byte{9, 1, 'k'})); !errors.Is(err, protocol.ErrCorrupt) {
		t.Errorf("an op of kind 9 gives %v", err)
	}
}

func TestKey_Parts(t *testing.T) {
	cases := []struct {
		key       protocol.Key
		partition protocol.PartitionID
		counter   int64
	}{
		{2251799813685251, 1, 3}, // Zeebe 8.6
		{4503599627370761, 2, 265},
		{protocol.NewKey(4095, protocol.MaxCounter), 4095, protocol.MaxCounter},
		{5, 0, 5},
		{0, 0, 0},
	}
	for _, c := range cases {
		if c.key.Partition() != c.partition || c.key.Counter() != c.counter {
			t.Errorf("%d is %d of partition %d", c.key, c.key.Counter(), c.key.Partition())
		}
		if protocol.NewKey(c.partition, c.counter) != c.key {
			t.Errorf("%d of partition %d is not %d", c.counter, c.partition, c.key)
		}
	}
	if p := protocol.Key(-1).Partition(); p != 0 {
		t.Errorf("a negative key is of partition %d", p)
	}
}
