package pb_test

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grevy-io/grevy/gateway/pb"
)

// filled makes a message of our type with every field set to a value of its own, extremes of
// the integers among them; of a oneof the last member stays.
func filled(t *testing.T, name protoreflect.FullName) proto.Message {
	t.Helper()
	mt, err := pb.Types.FindMessageByName(name)
	if err != nil {
		t.Fatalf("find type %s: %v", name, err)
	}
	m := mt.New()
	fill(m)
	return m.Interface()
}

func fill(m protoreflect.Message) {
	fs := m.Descriptor().Fields()
	for i := range fs.Len() {
		f := fs.Get(i)
		switch {
		case f.IsList() && f.Message() != nil:
			l := m.Mutable(f).List()
			for range 2 {
				fill(l.AppendMutable().Message())
			}
		case f.IsList():
			l := m.Mutable(f).List()
			l.Append(scalar(f))
			l.Append(scalar(f))
		case f.Message() != nil:
			fill(m.Mutable(f).Message())
		default:
			m.Set(f, scalar(f))
		}
	}
}

func scalar(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(`{"` + string(f.Name()) + `":"żółw 🐢"}`)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{0, 0xff, byte(f.Number())})
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(math.MinInt32 + int32(f.Number()))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(math.MaxInt64 - int64(f.Number()))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(math.MaxUint64 - uint64(f.Number()))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(f.Enum().Values().Len() - 1).Number())
	}
	panic("a kind that the protocol does not use: " + f.Kind().String())
}

func TestRoundTrips(t *testing.T) {
	for name := range wire {
		t.Run(name, func(t *testing.T) {
			in := filled(t, protoreflect.FullName("gateway_protocol."+name))
			bytes, err := proto.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			if (len(bytes) == 0) != (wire[name] == "") {
				t.Errorf("%d bytes", len(bytes))
			}
			out := in.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(bytes, out); err != nil || !proto.Equal(in, out) {
				t.Errorf("wire: got %v, %v; want %v", out, err, in)
			}
			text, err := protojson.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			out = in.ProtoReflect().New().Interface()
			if err := protojson.Unmarshal(text, out); err != nil || !proto.Equal(in, out) {
				t.Errorf("JSON %s: got %v, %v; want %v", text, out, err, in)
			}
		})
	}
}

// TestOperationReferenceHasPresence: zero and absent are not the same.
func TestOperationReferenceHasPresence(t *testing.T) {
	for _, c := range []struct {
		in   *pb.DeleteResourceRequest
		wire string
	}{
		{&pb.DeleteResourceRequest{ResourceKey: 1}, "\x08\x01"},
		{&pb.DeleteResourceRequest{ResourceKey: 1, OperationReference: proto.Uint64(0)}, "\x08\x01\x10\x00"},
		{&pb.DeleteResourceRequest{ResourceKey: 1, OperationReference: proto.Uint64(300)}, "\x08\x01\x10\xac\x02"},
	} {
		got, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.in)
		if err != nil || string(got) != c.wire {
			t.Errorf("%v: got %x, %v; want %x", c.in, got, err, c.wire)
		}
	}
}

// TestLaterFieldsAreKept: a newer peer's fields survive and do no harm.
func TestLaterFieldsAreKept(t *testing.T) {
	later := "\x08\x07" + "\xfa\x01\x03new" // 1: 7, 31: "new"
	var m pb.CompleteJobRequest
	if err := proto.Unmarshal([]byte(later), &m); err != nil || m.GetJobKey() != 7 {
		t.Fatalf("got %v, %v", &m, err)
	}
	got, err := proto.Marshal(&m)
	if err != nil || string(got) != later {
		t.Errorf("got %x, %v; want %x", got, err, later)
	}
	if s := string(m.ProtoReflect().GetUnknown()); !strings.Contains(s, "new") {
		t.Errorf("unknown fields: %x", s)
	}
}
