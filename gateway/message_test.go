package gateway_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// A message goes where its correlation key says, a signal anywhere.
func TestMessagesAndSignals(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	f.setHook(func(_ context.Context, p protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		return &protocol.KeyReply{Key: protocol.NewKey(p, 9)}, nil
	})
	ctx := callCtx(t)
	// Partitions of 3 as Zeebe 8.6.0 gave them: keys of its answers.
	for key, want := range map[string]protocol.PartitionID{"": 1, "0": 1, "1": 2, "abcdefghijklmnop": protocol.MessagePartition("abcdefghijklmnop", 3)} {
		req := &pb.PublishMessageRequest{Name: "m", CorrelationKey: key, TimeToLive: 7, MessageId: "i", Variables: `{"a":1}`}
		resp, err := r.client.PublishMessage(ctx, req)
		if err != nil || resp.GetKey() != int64(protocol.NewKey(want, 9)) || resp.GetTenantId() != "<default>" {
			t.Errorf("key %q: %v %v, want partition %d", key, resp, err, want)
		}
		cmd := f.calls[len(f.calls)-1].cmd
		if got := (&protocol.PublishMessage{Name: "m", CorrelationKey: key, TimeToLive: 7, MessageID: "i", Variables: []byte(`{"a":1}`)}); !reflect.DeepEqual(cmd, protocol.Command(got)) {
			t.Errorf("got %+v", cmd)
		}
	}
	at := map[protocol.PartitionID]bool{}
	for range 3 {
		if _, err := r.client.BroadcastSignal(ctx, &pb.BroadcastSignalRequest{SignalName: "s", Variables: `{}`}); err != nil {
			t.Fatal(err)
		}
		at[f.calls[len(f.calls)-1].partition] = true
	}
	if len(at) != 3 {
		t.Errorf("three signals went to %v", at)
	}
	_, err := r.client.PublishMessage(ctx, &pb.PublishMessageRequest{TenantId: "other"})
	checkStatus(t, err, codes.InvalidArgument, "Expected to handle gRPC request PublishMessage with tenant identifier 'other', but multi-tenancy is disabled")
	_, err = r.client.BroadcastSignal(ctx, &pb.BroadcastSignalRequest{Variables: "7"})
	checkStatus(t, err, codes.InvalidArgument, "Property 'variables' is invalid: Expected document to be a root level object, but was 'INTEGER'")
}
