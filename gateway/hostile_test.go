package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
)

// serve runs a gateway on a port of the system's.
func serve(t *testing.T, cfg gateway.Config) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := gateway.NewTuned(cfg, newFake(t, 1), gateway.Tuning{})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = s.Stop(ctx) // hostile connections are cut off
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func topology(t *testing.T, addr string, c credentials.TransportCredentials, more ...grpc.CallOption) error {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(c), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = pb.NewGatewayClient(conn).Topology(callCtx(t), &pb.TopologyRequest{}, more...)
	return err
}

// Whatever a client sends, the gateway goes on serving the others.
func TestHostile_Bytes(t *testing.T) {
	addr := serve(t, gateway.Config{})
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, sent := range map[string]string{
		"random":              string(random),
		"HTTP/1.1":            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"random after hello":  preface + settings + string(random),
		"a frame of 16 MB":    preface + settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01" + string(random),
		"half a frame":        preface + settings + "\x00\x10\x00\x01\x04\x00\x00\x00\x01abc",
		"headers without end": preface + settings + strings.Repeat("\x00\x00\x02\x01\x00\x00\x00\x00\x01\x40\x01", 1000),
		"endless headers":     preface + settings + "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82" + strings.Repeat("\x00\x3f\xff\x09\x00\x00\x00\x00\x01"+strings.Repeat("\x40\x01a\x01b", 3276)+"aaa", 50),
		"pings":               preface + settings + strings.Repeat("\x00\x00\x08\x06\x00\x00\x00\x00\x00abcdefgh", 10000),
		"resets":              preface + settings + strings.Repeat("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 10000),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go func() { _, _ = io.Copy(io.Discard, c) }()
			_, _ = io.Copy(c, strings.NewReader(sent)) // it may be closed in the middle
			if err := topology(t, addr, insecure.NewCredentials()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A message that says it is huge is refused before it is read, one that is
// compressed does not become huge, and headers have a bound.
func TestHostile_Sizes(t *testing.T) {
	addr := serve(t, gateway.Config{})
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := pb.NewGatewayClient(conn)
	bomb := &pb.PublishMessageRequest{Name: "m", Variables: strings.Repeat(" ", 64<<20)}
	for _, options := range [][]grpc.CallOption{{grpc.UseCompressor("gzip")}, nil} {
		_, err := client.PublishMessage(callCtx(t), bomb, options...)
		checkCode(t, err, codes.ResourceExhausted)
	}
	large := metadata.AppendToOutgoingContext(callCtx(t), "x", strings.Repeat("x", 1<<20))
	if _, err := client.Topology(large, &pb.TopologyRequest{}); err == nil {
		t.Error("headers of 1 MB are taken")
	}
	if _, err := client.Topology(callCtx(t), &pb.TopologyRequest{}); err != nil {
		t.Error(err)
	}
}

// Clients that are too many are closed at once; those who are there are served.
func TestHostile_ManyConnections(t *testing.T) {
	const most = 50
	addr := serve(t, gateway.Config{MaxClients: most, Logger: slog.New(slog.DiscardHandler)})
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := pb.NewGatewayClient(conn)
	if _, err := client.Topology(callCtx(t), &pb.TopologyRequest{}); err != nil {
		t.Fatal(err)
	}
	refused := 0
	var idle []net.Conn
	for range 500 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	for _, c := range idle[most:] {
		// Those beyond the bound hear nothing but the end.
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 64)); n == 0 && err != nil {
			refused++
		}
	}
	if refused != len(idle)-most {
		t.Errorf("%d of %d were refused", refused, len(idle)-most)
	}
	if _, err := client.Topology(callCtx(t), &pb.TopologyRequest{}); err != nil {
		t.Error("who was there is not served:", err)
	}
	for _, c := range idle {
		c.Close()
	}
	late := time.After(patience)
	for topology(t, addr, insecure.NewCredentials()) != nil {
		select {
		case <-late:
			t.Fatal("nobody is taken afterwards")
		default:
		}
	}
}

// With TLS the gateway is what the original's is: a server with a certificate;
// and with an authority for clients those without a certificate get nothing.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	ca := certstest.New(t, dir, "ca")
	files := ca.Issue(t, dir, "gateway")
	pem, err := os.ReadFile(ca.Path)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(pem)
	open := func(f certs.Files) *tls.Config {
		s, err := certs.Open(f, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return s.Server(tls.VersionTLS12, "h2")
	}
	one := serve(t, gateway.Config{TLS: open(certs.Files{Cert: files.Cert, Key: files.Key})})
	two := serve(t, gateway.Config{TLS: open(files)})
	anonymous := credentials.NewTLS(&tls.Config{RootCAs: trust})
	known, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	named := credentials.NewTLS(&tls.Config{RootCAs: trust, Certificates: []tls.Certificate{known}})
	for _, c := range []struct {
		name, addr string
		with       credentials.TransportCredentials
		ok         bool
	}{
		{"a client", one, anonymous, true}, {"a client without TLS", one, insecure.NewCredentials(), false},
		{"a client that trusts another", one, credentials.NewTLS(&tls.Config{RootCAs: x509.NewCertPool()}), false},
		{"a client with a certificate", two, named, true}, {"a client without one", two, anonymous, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := topology(t, c.addr, c.with)
			if c.ok && err != nil {
				t.Error(err)
			}
			if !c.ok {
				checkCode(t, err, codes.Unavailable)
			}
		})
	}
}

func checkCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
}
