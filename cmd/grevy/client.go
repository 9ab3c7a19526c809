package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
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

// connectPatience is how long a gateway may take to be connected to, if there is
// another one to ask.
const connectPatience = 3 * time.Second

// reachable is the first gateway, from the next in turn on, that can be connected
// to. If there is none it is the next in turn: a call to it says why. Whether a
// call may be repeated elsewhere needs no thought so: none was sent.
func (g *gateways) reachable(ctx context.Context) gatewayClient {
	first := g.next()
	if len(g.clients) == 1 {
		return first
	}
	c := first
	for range g.clients {
		if c.connects(ctx) {
			return c
		}
		c = g.next()
	}
	return first
}

func (c gatewayClient) connects(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	for {
		state := c.conn.GetState()
		switch state {
		case connectivity.Ready:
			return true
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false
		case connectivity.Idle:
			c.conn.Connect()
		}
		if !c.conn.WaitForStateChange(ctx, state) {
			return false
		}
	}
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
func call[Stub, Request, Reply any](ctx context.Context, addresses []string, stub func(grpc.ClientConnInterface) Stub, do method[Stub, Request, Reply], r *Request, opts ...grpc.CallOption) (*Reply, error) {
	g, err := dial(addresses)
	if err != nil {
		return nil, err
	}
	reply, err := callAt(ctx, g.reachable(ctx), stub, do, r, opts...)
	return reply, errors.Join(err, g.Close())
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
	return codeName(s.Code()) + ": " + s.Message(), callHint(e.address, s), true
}

func callHint(address string, s *status.Status) string {
	switch s.Code() {
	case codes.Unavailable:
		for _, sign := range []string{"connection error", "dial tcp", "name resolver", "error reading server preface"} {
			if strings.Contains(s.Message(), sign) {
				return fmt.Sprintf("is a node serving clients at %s? Start one (grevy start), or say where: --address HOST:PORT", address)
			}
		}
		return "nothing was executed, so try again; grevy status shows what is wrong"
	case codes.ResourceExhausted:
		for _, sign := range []string{"exceeds maximum size", "larger than max"} {
			if strings.Contains(s.Message(), sign) {
				return "it is larger than the gateway takes: send less, or start the node with a larger --max-message-size"
			}
		}
		return "nothing was executed; try again a little later, or send less at once"
	case codes.DeadlineExceeded:
		return "it may or may not have happened: look before you send it again"
	case codes.Unimplemented:
		return "docs/compatibility.md lists what works now"
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
