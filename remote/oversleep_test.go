package remote

import (
	"log/slog"
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
	w.heard.Store(int64(a.now() - 10*silence))
	a.checkSilence(true)
	if a.peer(1).out.Load() != w {
		t.Fatal("a link was taken down after a pause of this process")
	}
	// A heartbeat may come between the two steps; then there was no silence.
	for range 1000 {
		w.heard.Store(int64(a.now() - 10*silence))
		a.checkSilence(false)
		if a.peer(1).out.Load() != w {
			return
		}
	}
	t.Error("a silent link stays")
}
