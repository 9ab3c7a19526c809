package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gateways are clients of one gateway or more; calls go to them in turn.
type gateways struct {
	clients []gatewayClient
	turn    atomic.Uint64
}

type gatewayClient struct {
	pb.GatewayClient
	address string
	conn    *grpc.ClientConn
}

// addressFlag adds --address. What is not given is GREVY_ADDRESS or
// ZEEBE_ADDRESS, or a gateway on this host.
func addressFlag(cmd *cobra.Command, addresses *[]string) {
	def := []string{"127.0.0.1:26500"}
	for _, name := range []string{"GREVY_ADDRESS", "ZEEBE_ADDRESS"} {
		if v := os.Getenv(name); v != "" {
			def = strings.Split(v, ",")
			break
		}
	}
	cmd.Flags().StringSliceVar(addresses, "address", def, "gateway HOST:PORT,…, or https://HOST:PORT, also from GREVY_ADDRESS or ZEEBE_ADDRESS")
}

// maxMessage is what a client takes in one message: whatever a gateway sends.
const maxMessage = 64 << 20

func dial(addresses []string) (*gateways, error) {
	g := new(gateways)
	for _, address := range addresses {
		target, secure, err := transport(address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("address: %q: %w", address, err), g.Close())
		}
		conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(secure),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("address: %q: %w", address, err), g.Close())
		}
		g.clients = append(g.clients, gatewayClient{pb.NewGatewayClient(conn), address, conn})
	}
	if len(g.clients) == 0 {
		return nil, errors.New("address: one is needed")
	}
	return g, nil
}

// next gives the gateways in turn.
func (g *gateways) next() gatewayClient {
	return g.clients[(g.turn.Add(1)-1)%uint64(len(g.clients))]
}

// Close closes all connections.
func (g *gateways) Close() error {
	var errs []error
	for _, c := range g.clients {
		errs = append(errs, c.conn.Close())
	}
	return errors.Join(errs...)
}

// A method is one of a service's stub: pb.GatewayClient.Topology.
type method[Stub, Request, Reply any] func(Stub, context.Context, *Request, ...grpc.CallOption) (*Reply, error)

// call does one call at one of the gateways.
func call[Stub, Request, Reply any](ctx context.Context, addresses []string, stub func(grpc.ClientConnInterface) Stub, do method[Stub, Request, Reply], r *Request, opts ...grpc.CallOption) (reply *Reply, err error) {
	g, err := dial(addresses)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	c, err := g.reachable(ctx)
	if err != nil {
		return nil, err
	}
	return callAt(ctx, c, stub, do, r, opts...)
}

// callAt does one call at a gateway.
func callAt[Stub, Request, Reply any](ctx context.Context, c gatewayClient, stub func(grpc.ClientConnInterface) Stub, do method[Stub, Request, Reply], r *Request, opts ...grpc.CallOption) (*Reply, error) {
	reply, err := do(stub(c.conn), ctx, r, opts...)
	if err != nil {
		return nil, &callError{c.address, err}
	}
	return reply, nil
}

// callError is what a gateway, or the way to it, said.
type callError struct {
	address string
	err     error
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// explainCall makes "CODE: text" of what a gateway said, and a hint.
func explainCall(err error) (text, hint string, ok bool) {
	var e *callError
	if !errors.As(err, &e) {
		return "", "", false
	}
	s := status.Convert(e.err)
	return codeName(s.Code()) + ": " + s.Message(), callHint(s), true
}

// hints are what may help, by the code and by what the text has in it; the first
// that fits counts.
var hints = []struct {
	code       codes.Code
	sign, hint string
}{
	// What gRPC itself says, not the gateway: nothing is known then.
	{codes.Unavailable, "error reading from server", broken},
	{codes.Unavailable, "connection error", broken},
	{codes.Unavailable, "transport", broken},
	{codes.Unavailable, "either it does not exist", "is this a key of this cluster? grevy cluster status shows its partitions"},
	{codes.Unavailable, "", "nothing was executed, so try again; grevy status shows what is wrong"},
	{codes.ResourceExhausted, "exceeds maximum size", tooLarge},
	{codes.ResourceExhausted, "larger than max", tooLarge},
	{codes.ResourceExhausted, "", "nothing was executed; try again a little later, or send less at once"},
	{codes.DeadlineExceeded, "", "it may or may not have happened: look before you send it again"},
	{codes.Unimplemented, "", "docs/compatibility.md lists what works now"},
	{codes.NotFound, "retries left", "grevy jobs retries JOB-KEY --retries 1, then resolve it again"},
	{codes.NotFound, "no such job", "it is done, or its instance has ended: grevy instance KEY shows what is active"},
	{codes.NotFound, "no such incident", "what is to be resolved: grevy incidents"},
	{codes.NotFound, "no such process was found", "what is active: grevy instances"},
	{codes.NotFound, "no process instance found", "what is active: grevy instances"},
	{codes.NotFound, "no such element", "what is active in an instance: grevy instance KEY"},
	{codes.NotFound, "find process definition", deployments},
	{codes.NotFound, "no process definition found", deployments},
	{codes.NotFound, "no resource found", deployments},
	{codes.InvalidArgument, "no decision found", deployments},
	{codes.FailedPrecondition, "still running instances", "grevy instances lists them; they may end, be cancelled or be migrated first"},
}

const (
	broken      = "the connection broke: it may or may not have happened; look before you send it again"
	tooLarge    = "it is larger than the gateway takes: send less, or start the node with a larger --max-message-size"
	deployments = "what is deployed: grevy deployments"
)

func callHint(s *status.Status) string {
	for _, h := range hints {
		if s.Code() == h.code && strings.Contains(s.Message(), h.sign) {
			return h.hint
		}
	}
	return ""
}

// codeName is the code as the specification of gRPC writes it: NOT_FOUND.
func codeName(c codes.Code) string {
	if c == codes.OK {
		return "OK"
	}
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	if c == codes.Canceled {
		return "CANCELLED"
	}
	return strings.ToUpper(b.String())
}
