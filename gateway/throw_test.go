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

func TestThrowError(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	key := protocol.NewKey(2, 7)
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Done{}, nil
	})
	_, err := r.client.ThrowError(callCtx(t), &pb.ThrowErrorRequest{JobKey: int64(key), ErrorCode: "E1", ErrorMessage: "no", Variables: `{"w":"x"}`})
	if err != nil {
		t.Fatal(err)
	}
	want := &protocol.ThrowError{JobKey: key, Code: "E1", Message: "no", Variables: []byte(`{"w":"x"}`)}
	if last := f.calls[len(f.calls)-1]; last.partition != 2 || !reflect.DeepEqual(last.cmd, protocol.Command(want)) {
		t.Errorf("partition %d got %+v, want %+v", last.partition, last.cmd, want)
	}
	_, err = r.client.ThrowError(callCtx(t), &pb.ThrowErrorRequest{JobKey: int64(key), Variables: "7"})
	checkPrefix(t, 0, err, codes.InvalidArgument, "Property 'variables' is invalid: Expected document to be a root level object, but was 'INTEGER'")
}
