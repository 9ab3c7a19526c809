package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// spreading is a broker whose deployments never come to partition 3.
type spreading struct {
	*fake
	waits chan asked
}

// asked is what the gateway asked for.
type asked struct {
	seq        uint64
	deployment protocol.Key
	reachable  bool
	left       time.Duration
}

func (s *spreading) AwaitDistributed(ctx context.Context, seq uint64, deployment protocol.Key, reachable bool) gateway.Distribution {
	end, _ := ctx.Deadline()
	s.waits <- asked{seq, deployment, reachable, time.Until(end)}
	if !reachable {
		<-ctx.Done()
	}
	return gateway.Distribution{
		Partitions: 3, Missing: []gateway.Lacking{{Partition: 3, Why: "no link – to node 2"}},
		Refused: []gateway.Lacking{{Partition: 2, Why: "too old"}},
	}
}

func newSpreading(t *testing.T) *spreading {
	s := &spreading{fake: newFake(t, 3), waits: make(chan asked, 1)}
	s.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		switch cmd.(type) {
		case *protocol.Deploy:
			return &protocol.Deployed{Key: 5, Seq: 43}, nil
		case *protocol.DeleteResource:
			return &protocol.KeyReply{Key: 44}, nil
		}
		return nil, errors.New("not asked for")
	})
	return s
}

// lateText is what the trailer says when partition 3 is late: metadata takes no
// dash but the one of ASCII.
const lateText = "1 of 3; missing 3 (no link ? to node 2); refused by 2 (too old)"

// A call that waits is answered OK when its time is over, and says what is
// missing: what it was for is done.
func TestWait_SaysWhatIsMissing(t *testing.T) {
	s := newSpreading(t)
	r := start(t, s, gateway.Config{}, gateway.Tuning{})
	calls := map[string]struct {
		do   func(context.Context, grpc.CallOption) error
		want asked
	}{
		"DeployResource": {func(ctx context.Context, o grpc.CallOption) error {
			_, err := r.client.DeployResource(ctx, &pb.DeployResourceRequest{}, o)
			return err
		}, asked{seq: 43, deployment: 5}},
		"DeployProcess": {func(ctx context.Context, o grpc.CallOption) error {
			_, err := r.client.DeployProcess(ctx, &pb.DeployProcessRequest{}, o) //nolint:staticcheck // old clients send it
			return err
		}, asked{seq: 43, deployment: 5}},
		"DeleteResource": {func(ctx context.Context, o grpc.CallOption) error {
			_, err := r.client.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: int64(protocol.NewKey(1, 9))}, o)
			return err
		}, asked{seq: 44}},
	}
	for name, c := range calls {
		for _, mode := range []string{"50ms", "reachable 20s"} {
			var trailer metadata.MD
			if err := c.do(metadata.AppendToOutgoingContext(callCtx(t), "grevy-wait-distributed", mode), grpc.Trailer(&trailer)); err != nil {
				t.Fatalf("%s, %s: %v", name, mode, err)
			}
			if got := trailer.Get("grevy-distributed"); len(got) != 1 || got[0] != lateText {
				t.Errorf("%s, %s: %q", name, mode, got)
			}
			got := <-s.waits
			got.left, c.want.reachable = 0, mode != "50ms"
			if got != c.want {
				t.Errorf("%s, %s: asked for %+v, want %+v", name, mode, got, c.want)
			}
		}
	}
}

func TestWait_Defaults(t *testing.T) {
	s := newSpreading(t)
	deploy := func(r *rig, mode ...string) (metadata.MD, error) {
		ctx := callCtx(t)
		for _, m := range mode {
			ctx = metadata.AppendToOutgoingContext(ctx, "grevy-wait-distributed", m)
		}
		var trailer metadata.MD
		_, err := r.client.DeployResource(ctx, &pb.DeployResourceRequest{}, grpc.Trailer(&trailer))
		return trailer, err
	}
	plain := start(t, s, gateway.Config{}, gateway.Tuning{})
	if trailer, err := deploy(plain); err != nil || len(trailer.Get("grevy-distributed")) != 0 || len(s.waits) != 0 {
		t.Errorf("nobody asked to wait: %v, %v", trailer, err)
	}
	waiting := start(t, s, gateway.Config{WaitDistributed: gateway.Wait{Limit: time.Minute, Reachable: true}}, gateway.Tuning{})
	if trailer, err := deploy(waiting); err != nil || trailer.Get("grevy-distributed")[0] != lateText {
		t.Errorf("the server's default: %v, %v", trailer, err)
	}
	if got := <-s.waits; !got.reachable || got.left > patience {
		t.Errorf("the server's default, bounded by the call's deadline: %+v", got)
	}
	if trailer, err := deploy(waiting, "0s"); err != nil || len(trailer.Get("grevy-distributed")) != 0 {
		t.Errorf("a request that wants no wait: %v, %v", trailer, err)
	}
}

// What cannot be understood is said before anything is done.
func TestWait_BadDuration(t *testing.T) {
	s := newSpreading(t)
	r := start(t, s, gateway.Config{}, gateway.Tuning{})
	for _, mode := range []string{"", "soon", "-1s", "5", "reachable", "unreachable 5s"} {
		ctx := metadata.AppendToOutgoingContext(callCtx(t), "grevy-wait-distributed", mode)
		_, err := r.client.DeployResource(ctx, &pb.DeployResourceRequest{})
		want := "Expected metadata 'grevy-wait-distributed' to say how long to wait for the distribution, but \"" + mode + "\" is no duration as 5s, or reachable 5s"
		checkStatus(t, err, codes.InvalidArgument, want)
		_, err = r.client.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: int64(protocol.NewKey(1, 9))})
		checkStatus(t, err, codes.InvalidArgument, want)
	}
	if n := len(locked[*protocol.Deploy](s.fake)) + len(locked[*protocol.DeleteResource](s.fake)); n != 0 {
		t.Errorf("%d commands were executed", n)
	}
}
