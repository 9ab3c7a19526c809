package pb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/grevy-io/grevy/gateway/pb"
)

// globalCopy does once what the published client's stubs do at start: it registers the same
// file and the same type names in the process-wide registry. Before it does, the names must
// be free there.
var globalCopy = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	if _, err := protoregistry.GlobalFiles.FindFileByPath("gateway.proto"); !errors.Is(err, protoregistry.NotFound) {
		return nil, fmt.Errorf("gateway.proto is registered globally (%v)", err)
	}
	if _, err := protoregistry.GlobalFiles.FindDescriptorByName("gateway_protocol.Gateway"); !errors.Is(err, protoregistry.NotFound) {
		return nil, fmt.Errorf("the service is registered globally (%v)", err)
	}
	file, err := protodesc.NewFile(protodesc.ToFileDescriptorProto(pb.File_gateway_proto), protoregistry.GlobalFiles)
	if err != nil {
		return nil, fmt.Errorf("build second file: %w", err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		return nil, fmt.Errorf("register second file: %w", err)
	}
	var errs []error
	eachMessage(file.Messages(), func(m protoreflect.MessageDescriptor) {
		errs = append(errs, protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(m)))
		for i := range m.Enums().Len() {
			errs = append(errs, protoregistry.GlobalTypes.RegisterEnum(dynamicpb.NewEnumType(m.Enums().Get(i))))
		}
	})
	return file, errors.Join(errs...)
})

func TestSecondCopyDoesNotCollide(t *testing.T) {
	file, err := globalCopy()
	if err != nil {
		t.Fatal(err)
	}
	// Both are there, each in its own registry.
	own, err := pb.Files.FindFileByPath("gateway.proto")
	if err != nil || own != pb.File_gateway_proto {
		t.Errorf("own file: %v, %v", own, err)
	}
	if other, err := protoregistry.GlobalFiles.FindFileByPath("gateway.proto"); err != nil || other != file {
		t.Errorf("global file: %v, %v", other, err)
	}
	mt, err := protoregistry.GlobalTypes.FindMessageByName("gateway_protocol.TopologyRequest")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := mt.New().Interface().(*pb.TopologyRequest); ok {
		t.Error("the global type is ours")
	}
}

// TestSecondCopyReadsTheSameBytes sends every message, all fields set, from our types to the
// other copy's and back.
func TestSecondCopyReadsTheSameBytes(t *testing.T) {
	file, err := globalCopy()
	if err != nil {
		t.Fatal(err)
	}
	eachMessage(file.Messages(), func(m protoreflect.MessageDescriptor) {
		in := filled(t, m.FullName())
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
		if err != nil {
			t.Fatalf("marshal %s: %v", m.Name(), err)
		}
		other := dynamicpb.NewMessage(m)
		if err := proto.Unmarshal(wire, other); err != nil {
			t.Fatalf("unmarshal %s as the other copy: %v", m.Name(), err)
		}
		if len(other.GetUnknown()) > 0 {
			t.Errorf("%s: the other copy does not know %x", m.Name(), other.GetUnknown())
		}
		wire, err = proto.Marshal(other)
		if err != nil {
			t.Fatalf("marshal %s of the other copy: %v", m.Name(), err)
		}
		back := in.ProtoReflect().New().Interface()
		if err := proto.Unmarshal(wire, back); err != nil || !proto.Equal(in, back) {
			t.Errorf("%s came back as %v, %v; want %v", m.Name(), back, err, in)
		}
	})
}

func TestOwnRegistries(t *testing.T) {
	if n := pb.Files.NumFiles(); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
	if n := pb.Types.NumMessages(); n != len(wire) {
		t.Errorf("%d message types, want %d", n, len(wire))
	}
	if n := pb.Types.NumEnums(); n != 2 {
		t.Errorf("%d enum types, want 2", n)
	}
	for name := range wire {
		d, err := pb.Files.FindDescriptorByName(protoreflect.FullName("gateway_protocol." + name))
		if err != nil {
			t.Errorf("find descriptor %s: %v", name, err)
			continue
		}
		mt, err := pb.Types.FindMessageByName(d.FullName())
		if err != nil || mt.Descriptor() != d {
			t.Errorf("find type %s: %v, %v", name, mt, err)
		}
	}
}
