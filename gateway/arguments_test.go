package gateway_test

import (
	"context"
	"strings"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

func done(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
	return &protocol.Done{}, nil
}

// TestVariables: what was recorded of the original, less its warts.
func TestVariables(t *testing.T) {
	accepted := []string{"", "  ", "null", "{}", `{"a":1}`, " \n {\"a\" :\t1 } ", `{"a":1,"a":2}`, `{"a":9223372036854775808}`, "\ufeff{'a':'b'}", `{"a": 1} x`}
	refused := map[string]string{
		"{x":           "Invalid JSON value: {x\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]",
		`{"a":NaN}`:    "Invalid JSON value: {\"a\":NaN}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 9]",
		`{"a":1,}`:     "Invalid JSON value: {\"a\":1,}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 8]",
		"hello":        "Invalid JSON value: hello\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 6]",
		"[1,2]":        "Property 'variables' is invalid: Expected document to be a root level object, but was 'ARRAY'",
		"7":            "Property 'variables' is invalid: Expected document to be a root level object, but was 'INTEGER'",
		`"a"`:          "Property 'variables' is invalid: Expected document to be a root level object, but was 'STRING'",
		deep("[", "]"): "Invalid JSON value: ",
	}
	f := newFake(t, 1)
	f.setHook(done)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	key := int64(protocol.NewKey(1, 1))
	for _, v := range accepted {
		if _, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: key, Variables: v}); err != nil {
			t.Errorf("%q: %v", v, err)
		}
		sent := locked[*protocol.CompleteJob](f)
		want := v
		if strings.TrimSpace(v) == "" || v == "null" {
			want = "{}"
		}
		if strings.HasSuffix(v, " x") { // what follows the object is passed over
			want = `{"a":1}`
		}
		if strings.HasPrefix(v, "\ufeff") {
			want = `{"a":"b"}`
		}
		if got := string(sent[len(sent)-1].Variables); got != want {
			t.Errorf("%q was sent as %q", v, got)
		}
	}
	before := len(f.calls)
	for v, text := range refused {
		ctx := callCtx(t)
		_, e1 := r.client.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: key, Variables: v})
		_, e2 := r.client.FailJob(ctx, &pb.FailJobRequest{JobKey: key, Variables: v})
		_, e3 := r.client.SetVariables(ctx, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: v})
		_, e4 := r.client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{Variables: v})
		_, e5 := r.client.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{Request: &pb.CreateProcessInstanceRequest{Variables: v}})
		for i, err := range []error{e1, e2, e3, e4, e5} {
			checkPrefix(t, i, err, codes.InvalidArgument, text)
		}
	}
	if len(f.calls) != before {
		t.Errorf("%d commands were sent with bad variables", len(f.calls)-before)
	}
}

func deep(open, end string) string {
	return `{"a":` + strings.Repeat(open, 1100) + strings.Repeat(end, 1100) + `}`
}

func checkPrefix(t *testing.T, what any, err error, code codes.Code, prefix string) {
	t.Helper()
	if err == nil {
		t.Errorf("%v: no error, want %s %q", what, code, prefix)
	} else if got := err.Error(); !strings.HasPrefix(got, "rpc error: code = "+code.String()+" desc = "+prefix) {
		t.Errorf("%v:\n got %q\nwant %s %q", what, got, code, prefix)
	}
}

func TestTenants(t *testing.T) {
	f := newFake(t, 1)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	text := func(method, tenant string) string {
		return "Expected to handle gRPC request " + method + " with tenant identifier '" + tenant + "', but multi-tenancy is disabled"
	}
	ctx := callCtx(t)
	_, err := r.client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{TenantId: "red"})
	checkStatus(t, err, codes.InvalidArgument, text("CreateProcessInstance", "red"))
	_, err = r.client.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{Request: &pb.CreateProcessInstanceRequest{TenantId: "red"}})
	checkStatus(t, err, codes.InvalidArgument, text("CreateProcessInstanceWithResult", "red"))
	_, err = r.client.DeployResource(ctx, &pb.DeployResourceRequest{TenantId: "a b/c"})
	checkStatus(t, err, codes.InvalidArgument, text("DeployResource", "a b/c"))
	_, err = r.client.PublishMessage(ctx, &pb.PublishMessageRequest{TenantId: "red"})
	checkStatus(t, err, codes.InvalidArgument, "Expected to handle gRPC request PublishMessage with tenant identifier 'red', but multi-tenancy is disabled")
	_, err = r.client.BroadcastSignal(ctx, &pb.BroadcastSignalRequest{TenantId: "red"})
	checkStatus(t, err, codes.InvalidArgument, "Expected to handle gRPC request BroadcastSignal with tenant identifier 'red', but multi-tenancy is disabled")
	_, err = activate(ctx, r.client, &pb.ActivateJobsRequest{Type: "t", Timeout: 1, MaxJobsToActivate: 1, RequestTimeout: -1, TenantIds: []string{"<default>", "red"}})
	checkStatus(t, err, codes.InvalidArgument, text("ActivateJobs", "red"))
	stream, err := r.client.StreamActivatedJobs(ctx, &pb.StreamActivatedJobsRequest{Type: "t", Timeout: 1, TenantIds: []string{"red"}})
	if err == nil {
		_, err = stream.Recv()
	}
	checkStatus(t, err, codes.InvalidArgument, text("StreamActivatedJobs", "red"))
	if len(f.calls) != 0 {
		t.Errorf("commands were sent: %v", f.calls)
	}

	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Created{}, nil
	})
	for _, ok := range []string{"", " ", "<default>"} {
		if resp, err := r.client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{TenantId: ok}); err != nil || resp.TenantId != "<default>" {
			t.Errorf("%q: %v %v", ok, resp, err)
		}
	}
}

// TestSizes: too large is said with both numbers, and the connection goes on.
func TestSizes(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(done)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	variables := func(n int) string { return `{"a":"` + strings.Repeat("x", n) + `"}` }
	key := int64(protocol.NewKey(1, 1))
	complete := func(n int, opts ...grpc.CallOption) error {
		_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: key, Variables: variables(n)}, opts...)
		return err
	}
	checkStatus(t, complete(5_000_000), codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000022")
	checkStatus(t, complete(6_000_000, grpc.UseCompressor(gzip.Name)), codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 6000022")
	checkStatus(t, complete(4<<20-22), codes.OK, "")
	checkStatus(t, complete(4<<20-21), codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 4194305")
	checkStatus(t, complete(17<<20), codes.ResourceExhausted, "grpc: received message larger than max (17825814 vs. 16777216)")
	checkStatus(t, complete(100_000, grpc.UseCompressor(gzip.Name)), codes.OK, "")
	_, err := activate(callCtx(t), r.client, &pb.ActivateJobsRequest{Type: strings.Repeat("t", 5_000_000)})
	checkStatus(t, err, codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000005")
}

// rawCodec sends bytes as they are.
type rawCodec struct{ encoding.CodecV2 }

func (c rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func TestMalformed(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(done)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	raw := grpc.ForceCodecV2(rawCodec{encoding.GetCodecV2("proto")})
	for name, b := range map[string][]byte{"cut varint": {0x08, 0xff}, "wrong wire type": {0x0f}, "not UTF-8": {0x12, 0x01, 0xff}} {
		err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/CompleteJob", b, &pb.CompleteJobResponse{}, raw)
		checkPrefix(t, name, err, codes.InvalidArgument, "Malformed request: ")
	}
	// Fields of later versions are read over.
	unknown := []byte{0xf8, 0xc0, 0x07, 0xff, 0x01, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x04}
	if err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/CompleteJob", unknown, &pb.CompleteJobResponse{}, raw); err != nil {
		t.Errorf("unknown field: %v", err)
	}
}
