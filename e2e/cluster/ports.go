package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/grevy-io/grevy"
)

// guardPort is bound, with a node's offset, as long as its cluster lives. So
// clusters of other test processes keep off its ports even while the node is
// down. The program itself does not use it.
const guardPort = grevy.GossipPort + 1

// Offsets end where the system's ephemeral ports begin (32768 on Linux): an
// outgoing connection must not take the port of a node that is down.
const (
	offsetStep = 10
	offsets    = (32768 - guardPort - 1) / offsetStep
)

// Offsets reserves n port offsets until the test ends, for nodes in the test's
// own process.
func Offsets(t testing.TB, n int) []int {
	t.Helper()
	list, release := reserve(t, n)
	t.Cleanup(release)
	return list
}

// reserve finds n port offsets of which all ports are free.
func reserve(t testing.TB, n int) (list []int, release func()) {
	t.Helper()
	var guards []net.Listener
	start := rand.IntN(offsets)
	for i := range offsets {
		offset := (start+i)%offsets*offsetStep + offsetStep
		guard, err := net.Listen("tcp", local(guardPort+offset))
		if err != nil {
			continue
		}
		if !free(offset) {
			if err := guard.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		list, guards = append(list, offset), append(guards, guard)
		if len(list) == n {
			break
		}
	}
	release = func() {
		for _, g := range guards {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if len(list) < n {
		release()
		t.Fatalf("only %d of %d port offsets are free on this machine", len(list), n)
	}
	return list, release
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// free tells whether all ports of an offset can be bound now.
func free(offset int) bool {
	for _, port := range []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort, grevy.HTTPPort} {
		l, err := net.Listen("tcp", local(port+offset))
		if err != nil {
			return false
		}
		if l.Close() != nil {
			return false
		}
	}
	u, err := net.ListenPacket("udp", local(grevy.GossipPort+offset))
	return err == nil && u.Close() == nil
}
