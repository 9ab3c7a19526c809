package certs_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
)

const patience = 5 * time.Second

func open(t *testing.T, f certs.Files) *certs.Store {
	t.Helper()
	s, err := certs.Open(f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// meet lets two nodes connect, and says what each has got: the server's error,
// and that of the client's first read.
func meet(t *testing.T, server, client *certs.Store) (accepted, read error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			got <- err
			return
		}
		defer raw.Close()
		c, err := server.Accept(raw, time.Now().Add(patience))
		if err == nil {
			_, err = c.Write([]byte("x"))
		}
		got <- err
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := client.Dial(ctx, "tcp", l.Addr().String())
	if err == nil {
		if client == nil {
			_, _ = c.Write([]byte("whatever is spoken without TLS"))
		}
		_, err = io.ReadFull(c, make([]byte, 1))
		c.Close()
	}
	return <-got, err
}

func TestNodes_OfOneAuthority(t *testing.T) {
	dir := t.TempDir()
	ca := certstest.New(t, dir, "ours")
	a, b := open(t, ca.Issue(t, dir, "a")), open(t, ca.Issue(t, dir, "b"))
	if accepted, read := meet(t, a, b); accepted != nil || read != nil {
		t.Error(accepted, read)
	}
}

func TestStrangers_GetNothing(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := certstest.New(t, dir, "ours"), certstest.New(t, dir, "theirs")
	node := open(t, ours.Issue(t, dir, "node"))
	foreign := theirs.Issue(t, dir, "foreign")
	foreign.CA = ours.Path // it believes us, we do not believe it
	for name, stranger := range map[string]*certs.Store{"another authority": open(t, foreign), "no TLS": nil} {
		t.Run(name, func(t *testing.T) {
			if accepted, read := meet(t, node, stranger); !errors.Is(accepted, certs.ErrHandshake) || read == nil {
				t.Errorf("accepted: %v, read: %v", accepted, read)
			} else if stranger != nil && !certs.Refused(read) {
				t.Errorf("the stranger is not told: %v", read)
			}
		})
	}
	t.Run("a server of another authority", func(t *testing.T) {
		if accepted, read := meet(t, open(t, theirs.Issue(t, dir, "server")), node); accepted == nil || !certs.Refused(read) {
			t.Errorf("accepted: %v, read: %v", accepted, read)
		}
	})
	t.Run("no certificate", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if raw, err := l.Accept(); err == nil {
				_, _ = node.Accept(raw, time.Now().Add(patience))
				raw.Close()
			}
		}()
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			_, err = c.Read(make([]byte, 1))
		}
		if !certs.Refused(err) {
			t.Error(err)
		}
	})
}

// A renewed certificate, and another authority, count from the next connection
// on; files that do not fit together change nothing.
func TestFiles_AreReadAnew(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := certstest.New(t, dir, "ours"), certstest.New(t, dir, "theirs")
	files := ours.Issue(t, dir, "node")
	node := open(t, files)
	foreign := theirs.Issue(t, dir, "foreign")
	other := open(t, foreign)
	if _, read := meet(t, node, other); read == nil {
		t.Fatal("taken before")
	}
	if err := os.WriteFile(files.Key, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	node.Look(t)
	if accepted, read := meet(t, node, node); accepted != nil || read != nil {
		t.Fatal("a half-written renewal breaks what was good:", accepted, read)
	}
	both := readAll(t, ours.Path) + readAll(t, theirs.Path)
	ours.Issue(t, dir, "node") // the same names
	if err := os.WriteFile(files.CA, []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}
	node.Look(t)
	foreign.CA = files.CA
	if accepted, read := meet(t, node, open(t, foreign)); accepted != nil || read != nil {
		t.Error("not taken afterwards:", accepted, read)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	f := certstest.New(t, dir, "ca").Issue(t, dir, "node")
	for _, c := range []struct {
		files certs.Files
		want  string
	}{
		{certs.Files{Cert: dir + "/none", Key: f.Key}, "no such file"},
		{certs.Files{Cert: f.Cert, Key: f.Cert}, "certificate " + f.Cert},
		{certs.Files{Cert: f.Cert, Key: f.Key, CA: f.Key}, "holds no certificate"},
	} {
		if _, err := certs.Open(c.files, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.files, err)
		}
	}
}
