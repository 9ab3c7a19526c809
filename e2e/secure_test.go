package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
)

// TestTLS: a cluster whose nodes and clients use TLS forms, deploys, loses a node
// to a kill and gets it back. With a certificate of another authority the same
// node stays out, is heard by nobody, and disturbs nobody; with a renewed one of the
// right authority it is back, and nobody was restarted for it.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs := certstest.New(t, dir, "ours"), certstest.New(t, dir, "theirs")
	files := make([]certs.Files, 3)
	for i := range files {
		files[i] = ours.Issue(t, dir, fmt.Sprint("node", i))
	}
	c := cluster.Start(t, cluster.Options{Binary: binary, Secure: trusting(t, ours.Path), Flags: func(n int) []string {
		f := files[n]
		return []string{
			"--node-tls-cert", f.Cert, "--node-tls-key", f.Key, "--node-tls-ca", f.CA, "--tls-cert", f.Cert, "--tls-key", f.Key,
		}
	}})
	l := startLoad(t, c)
	l.flows(200)
	bad := c.Nodes[2]
	bad.Kill()
	servesEverywhere(t, c)
	l.flows(100)

	proper := files[2]
	files[2] = theirs.Issue(t, dir, "foreign")
	files[2].CA = ours.Path // it would talk to them
	bad.Start()
	cluster.Until(t, formTime, "the stranger is refused", func(context.Context) error {
		if !strings.Contains(c.Nodes[0].Log()+c.Nodes[1].Log(), "refused a connection: TLS") {
			return fmt.Errorf("nothing is said")
		}
		return nil
	})
	l.flows(100)
	cluster.Until(t, formTime, "the node that was killed is away, and the stranger is not taken for it", func(ctx context.Context) error {
		s, err := c.Nodes[0].Status(ctx)
		if err != nil {
			return err
		}
		if text := fmt.Sprint(s.Problems); !strings.Contains(text, "node 2 is away") {
			return fmt.Errorf("the problems are %s", text)
		}
		return nil
	})
	bad.Kill()
	files[2] = ours.Issue(t, dir, "node2") // renewed, under the names that the files had
	if files[2] != proper {
		t.Fatal(files[2], proper)
	}
	bad.Start()
	bad.WaitReady(formTime)
	c.Nodes[1].Kill()
	servesEverywhere(t, c)
	c.Nodes[1].Start()
	c.WaitReady(serveTime)
	l.settle(formTime)
}

// trusting is a client that trusts one authority.
func trusting(t *testing.T, path string) credentials.TransportCredentials {
	t.Helper()
	pem, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "localhost"})
}

// TestHostileConnections: thousands of connections to every port of a node, which
// say nothing or rubbish. The cluster goes on, the node stays in it, and its
// memory stays within bounds.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	l.flows(100)
	victim := c.Nodes[1]
	perPort := connections(t) / 5
	var all []net.Conn
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, port := range []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort, grevy.HTTPPort} {
		wg.Go(func() {
			for i := range perPort {
				conn, err := net.DialTimeout("tcp", victim.Addr(port), 5*time.Second)
				if err != nil {
					continue // turned away
				}
				if i%2 == 0 {
					rubbish := make([]byte, 512)
					rand.Read(rubbish)
					_, _ = conn.Write(rubbish) // it may be closed already
				}
				mu.Lock()
				all = append(all, conn)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	l.flows(100)
	healthy(t, c.Nodes[0])
	if mb := residentMB(t, victim); mb > 200 {
		t.Errorf("the node takes %d MB", mb)
	} else {
		t.Logf("%d connections; the node takes %d MB", len(all), mb)
	}
	for _, conn := range all {
		conn.Close()
	}
	l.settle(formTime)
}

// connections is how many this process may hold, at most 10,000.
func connections(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return int(min(limit.Cur/2, 10_000))
}

// residentMB is the memory of a node's process.
func residentMB(t *testing.T, n *cluster.Node) (mb int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.PID()))
	if err != nil {
		t.Skip("this system does not tell the memory of a process:", err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize() >> 20
}
