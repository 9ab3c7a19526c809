package door_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/internal/linkfault"
)

const patience = 5 * time.Second

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func connect(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// admitAll serves a port until its listener closes.
func admitAll(l net.Listener, p *door.Port, wait time.Duration, guests chan<- *door.Guest, refused chan<- error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			if g, err := p.Admit(c, wait); err != nil {
				refused <- err
			} else {
				guests <- g
			}
		}()
	}
}

// A thousand connections that say nothing do not keep a node out: the oldest
// of them are shown out.
func TestAdmit_StrangersAreBounded(t *testing.T) {
	l, p := listen(t), door.New(linkfault.ProtoRemote, nil, slog.New(slog.DiscardHandler))
	guests, refused := make(chan *door.Guest, 1), make(chan error, 2000)
	go admitAll(l, p, time.Minute, guests, refused)
	const many, may = 1000, 256
	for range many {
		connect(t, l)
	}
	for range many - may {
		<-refused
	}
	c := connect(t, l)
	if err := linkfault.WritePreamble(c, linkfault.Preamble{Proto: linkfault.ProtoRemote, From: 7}); err != nil {
		t.Fatal(err)
	}
	g := <-guests
	if g.From != 7 {
		t.Error(g.Preamble)
	}
	g.Leave()
	g.Leave()
	p.Close()
	for range may - 1 {
		<-refused
	}
	late := connect(t, l)
	if _, err := io.ReadAll(late); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Log(err) // a reset is as good
	}
}

// What is sent slowly, cut off, or is none of ours ends with the patience at the
// latest, with TLS and without.
func TestAdmit_Hostile(t *testing.T) {
	dir := t.TempDir()
	secure, err := certs.Open(certstest.New(t, dir, "ca").Issue(t, dir, "node"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range []struct {
		name  string
		store *certs.Store
	}{{"plain", nil}, {"tls", secure}} {
		for name, bytes := range map[string][]byte{
			"nothing": nil, "rubbish": bytes.Repeat([]byte{0xff}, 64), "half a preamble": []byte("grvy\x01\x01"),
			"half a client hello": {22, 3, 1, 2, 0, 1, 0}, "another protocol": []byte("GET / HTTP/1.1\r\nHost: x\r\nAccept: everything\r\n\r\n"),
			"the protocol of another port": append([]byte("grvy\x01\x02"), make([]byte, 26)...),
		} {
			t.Run(with.name+"/"+name, func(t *testing.T) {
				l, p := listen(t), door.New(linkfault.ProtoRemote, with.store, slog.New(slog.DiscardHandler))
				guests, refused := make(chan *door.Guest, 1), make(chan error, 1)
				go admitAll(l, p, 200*time.Millisecond, guests, refused)
				c := connect(t, l)
				if _, err := c.Write(bytes); err != nil {
					t.Fatal(err)
				}
				select {
				case <-refused:
				case g := <-guests:
					t.Fatal("admitted", g.Preamble)
				case <-time.After(patience):
					t.Fatal("it stands at the door still")
				}
			})
		}
	}
}

func TestLimit_OneTooManyIsClosed(t *testing.T) {
	turned := make(chan struct{}, 10)
	l := door.Limit(listen(t), 2, func() { turned <- struct{}{} })
	got := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			got <- c
		}
	}()
	connect(t, l)
	connect(t, l)
	first := <-got
	<-got
	c := connect(t, l)
	<-turned
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("one too many is open")
	}
	first.Close()
	first.Close() // twice gives one place back
	connect(t, l)
	<-got
	connect(t, l)
	<-turned
}
