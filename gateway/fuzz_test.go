package gateway_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// raw sends bytes as they are, and takes any answer.
type raw struct{}

func (raw) Name() string { return "proto" }
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (raw) Unmarshal(mem.BufferSlice, any) error { return nil }

// echoing answers every command with a rejection, at once.
type echoing struct{ *fake }

func (echoing) Execute(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
	return nil, protocol.Reject(protocol.NotFound, "FUZZ", "nothing is here")
}

// FuzzRequest: bytes as a request of any call get an answer: no panic (INTERNAL
// would tell of one), nothing that hangs.
func FuzzRequest(f *testing.F) {
	var names []string
	methods := pb.File_gateway_proto.Services().ByName("Gateway").Methods()
	for i := range methods.Len() {
		if m := methods.Get(i); !m.IsStreamingServer() {
			names = append(names, string(m.Name()))
		}
	}
	slices.Sort(names)
	for i := range names {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte("\x08\x01\x12\x03abc\x1a\x02{}\x22\x02{}"))
	}
	for _, m := range []proto.Message{
		&pb.CreateProcessInstanceRequest{BpmnProcessId: "p", Version: -1, Variables: `{"a": 1}`, StartInstructions: []*pb.ProcessInstanceCreationStartInstruction{{ElementId: "e"}}},
		&pb.PublishMessageRequest{Name: "m", CorrelationKey: "k", TimeToLive: -1, Variables: "[]"},
		&pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: "a.bpmn", Content: []byte("<a/>")}}},
		&pb.SetVariablesRequest{ElementInstanceKey: 1 << 51, Variables: `{"a": [1, {"b": null}]}`, Local: true},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for i := range names {
			f.Add(uint8(i), b)
		}
	}
	r := start(f, echoing{newFake(f, 3)}, gateway.Config{Logger: slog.New(slog.DiscardHandler)}, gateway.Tuning{})
	f.Fuzz(func(t *testing.T, method uint8, b []byte) {
		name := names[int(method)%len(names)]
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		var answer []byte
		err := r.conn.Invoke(ctx, "/gateway_protocol.Gateway/"+name, b, &answer, grpc.ForceCodecV2(raw{}))
		if c := status.Code(err); c == codes.Internal || c == codes.Unknown || c == codes.DeadlineExceeded {
			t.Errorf("%s of %x: %v", name, b, err)
		}
	})
}

// FuzzParseWait: the text of a header is a time to wait, or is refused.
func FuzzParseWait(f *testing.F) {
	for _, s := range []string{"5s", "5s reachable", "-1s", "9999999h", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if w, err := gateway.ParseWait(s); err == nil && w.Limit < 0 {
			t.Errorf("%q: %+v", s, w)
		}
	})
}
