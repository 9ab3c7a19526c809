package embedded

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// Open opens a broker until the test ends and connects to its gateway.
// onRecord, unless nil, is given every record.
func Open(t testing.TB, partitions int, onRecord func(partition int, record []byte) error, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	offset := cluster.Offsets(t, 1)[0]
	b, err := grevy.Open(grevy.Config{
		DataDir: t.TempDir(), Partitions: partitions, PortOffset: offset, WithoutHTTP: true, OnRecord: onRecord,
		Log: slog.New(slog.DiscardHandler), StartTimeout: 30 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(fmt.Sprintf("passthrough:///127.0.0.1:%d", grevy.GatewayPort+offset), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}
