package remote

import (
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// A process that was paused must not take its own sleep for the silence of its
// peers.
func TestOversleptProcessDoesNotBlamePeers(t *testing.T) {
	open := func(id protocol.NodeID) *Post {
		p, err := Open(Config{NodeID: id, Bind: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		return p
	}
	a, b := open(0), open(1)
	up := make(chan LinkEvent, 10)
	defer a.Watch(func(e LinkEvent) { up <- e })()
	a.SetPeers(map[protocol.NodeID]string{1: b.Addr()})
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		t.Fatal("no link")
	}
	w := a.peer(1).out.Load()
	eventually(t, "the connection is under watch", func() bool { return slices.Contains(a.openWires(), w) })
	w.heard.Store(int64(a.now() - 10*silence))
	a.checkSilence(true)
	if a.peer(1).out.Load() != w {
		t.Fatal("a link was taken down after a pause of this process")
	}
	// A heartbeat may come between the two steps; then there was no silence.
	eventually(t, "a silent link goes", func() bool {
		w.heard.Store(int64(a.now() - 10*silence))
		a.checkSilence(false)
		return a.peer(1).out.Load() != w
	})
}

// eventually polls cond.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
