package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// The test binary is the program itself if GREVY_TEST_AS says so.
func TestMain(m *testing.M) {
	for _, name := range []string{"GREVY_ADDRESS", "ZEEBE_ADDRESS", "GREVY_HTTP"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	switch os.Getenv("GREVY_TEST_AS") {
	case "grevy":
		main()
	case "deaf": // hears the first signal and does not end
		ctx := untilSignal()
		fmt.Println("listening")
		<-ctx.Done()
		fmt.Println("first signal")
		select {}
	}
	os.Exit(m.Run())
}

// result is what a run of the program said.
type result struct {
	code     int
	out, err string
}

// grevyRun runs the program in this process.
func grevyRun(t *testing.T, args ...string) result {
	t.Helper()
	return grevyRunWith(t.Context(), "", args...)
}

func grevyRunWith(ctx context.Context, in string, args ...string) result {
	var out, errOut bytes.Buffer
	code := run(ctx, args, strings.NewReader(in), &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// ok fails the test unless the run did well and said nothing on standard error.
func (r result) ok(t *testing.T) result {
	t.Helper()
	if r.code != exitOK || r.err != "" {
		t.Fatalf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	return r
}

// decode reads the one JSON document of a run.
func (r result) decode(t *testing.T, v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%v in %q", err, r.out)
	}
	if dec.More() {
		t.Fatalf("more than one document in %q", r.out)
	}
}

// process runs the program as a process of its own.
func process(t *testing.T, as string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "GREVY_TEST_AS="+as)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

const localhost = "127.0.0.1"

// offsetFor reserves an offset for this test.
func offsetFor(t *testing.T) int {
	t.Helper()
	return cluster.Offsets(t, 1)[0]
}

// openBroker opens a node on free ports.
func openBroker(t *testing.T, c grevy.Config) *grevy.Broker {
	t.Helper()
	c.DataDir, c.PortOffset = t.TempDir(), offsetFor(t)
	c.Log = quiet
	b, err := grevy.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func gatewayOf(b *grevy.Broker) string { return address(b.Host, grevy.GatewayPort+b.PortOffset) }
func httpOf(b *grevy.Broker) string    { return address(b.Host, grevy.HTTPPort+b.PortOffset) }

// await tries until cond holds.
func await(t *testing.T, what string, cond func() error) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

var errNotYet = errors.New("not yet")

var quiet = slog.New(slog.DiscardHandler)

// writeModel writes a process with one task to a file.
func writeModel(t *testing.T, id string) string {
	t.Helper()
	path := t.TempDir() + "/" + id + ".bpmn"
	if err := os.WriteFile(path, taskProcess(id, "test"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
