package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
)

func itoa(n int) string { return strconv.Itoa(n) }

// oneLine checks that a run failed with one line that says all of these.
func (r result) oneLine(t *testing.T, words ...string) {
	t.Helper()
	if r.code != exitError {
		t.Errorf("exit code %d", r.code)
	}
	if strings.Count(r.err, "\n") != 1 {
		t.Errorf("not one line: %q", r.err)
	}
	for _, w := range words {
		if !strings.Contains(r.err, w) {
			t.Errorf("%q lacks %q", r.err, w)
		}
	}
}

func TestStart_RefusesInOneLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"an unknown flag", []string{"--partition", "3"}, []string{"unknown flag: --partition", "grevy start --help"}},
		{"a value that is no number", []string{"--partitions", "three"}, []string{"--partitions", "three"}},
		{"an argument", []string{"now"}, []string{`unexpected argument "now"`}},
		{"a node id too high", []string{"--node-id", "1"}, []string{"node-id: must be from 0 to cluster-size - 1 = 0, not 1"}},
		{"too many replicas", []string{"--replication-factor", "2"}, []string{"replication-factor: must be from 1 to cluster-size = 1, not 2"}},
		{"several nodes without join", []string{"--cluster-size", "3", "--host", localhost}, []string{"join:"}},
		{"several nodes without a host", []string{"--cluster-size", "3", "--join", "a:1"}, []string{"host:"}},
		{"several nodes that others reach, without TLS", []string{"--cluster-size", "3", "--join", "a:1", "--host", "10.0.0.1"}, []string{"host: other machines reach 10.0.0.1", "node-tls-cert", "node-plaintext"}},
		{"half of a TLS", []string{"--node-tls-cert", "a"}, []string{"node-tls-cert, node-tls-key, node-tls-ca: all three"}},
		{"TLS and none", []string{"--node-tls-cert", "a", "--node-tls-key", "a", "--node-tls-ca", "a", "--node-plaintext"}, []string{"node-plaintext:"}},
		{"a certificate that is not there", []string{"--node-tls-cert", "/nowhere", "--node-tls-key", "a", "--node-tls-ca", "a"}, []string{"node-tls: ", "/nowhere"}},
		{"a client's authority alone", []string{"--tls-client-ca", "a"}, []string{"tls-cert, tls-key: both"}},
		{"a join without a port", []string{"--join", "a"}, []string{"join:", `"a" is not HOST:PORT`}},
		{"an offset too high", []string{"--port-offset", "60000"}, []string{"port-offset: must be from 0"}},
		{"a level that is none", []string{"--log-level", "loud"}, []string{"log-level: must be debug, info, warn or error", "loud"}},
		{"a format that is none", []string{"--log-format", "xml"}, []string{"log-format: must be text or json", "xml"}},
		{"a file for a data directory", []string{"--data-dir", file}, []string{"data-dir: cannot make", file, "not a directory"}},
		{"a config that is not there", []string{"--config", dir + "/none"}, []string{"config: cannot read", "no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"start", "--port-offset", itoa(offsetFor(t)), "--data-dir", dir}, c.args...)
			grevyRun(t, args...).oneLine(t, c.want...)
		})
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the data directory was touched: %v, %v", left, err)
	}
}

func TestStart_RefusesAPortInUse(t *testing.T) {
	t.Parallel()
	for _, port := range nodePorts {
		t.Run(itoa(port), func(t *testing.T) {
			offset := offsetFor(t)
			l, err := net.Listen("tcp", address(localhost, port+offset))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			r := grevyRun(t, "start", "--log-level", "error", "--data-dir", t.TempDir(), "--port-offset", itoa(offset))
			r.oneLine(t, itoa(port+offset), "address already in use")
		})
	}
}

func TestStart_RefusesADirectoryOfSomethingElse(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{Partitions: 2})
	other := offsetFor(t)
	start := func(args ...string) result {
		return grevyRun(t, append([]string{"start", "--log-level", "error", "--data-dir", b.DataDir, "--partitions", "2", "--port-offset", itoa(other)}, args...)...)
	}
	start().oneLine(t, "data-dir:", "is in use by another process")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	start("--node-id", "1", "--cluster-size", "2", "--host", localhost, "--join", "a:1").oneLine(t, "belongs to node 0, not to node 1")
	start("--partitions", "3").oneLine(t, "partitions: the cluster in", "began with 2, not 3")
}

// node is the program as a process, until a signal.
type node struct {
	*exec.Cmd
	offset int
	log    bytes.Buffer
}

func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	n := &node{offset: offsetFor(t)}
	n.Cmd = process(t, "grevy", append([]string{"start", "--port-offset", itoa(n.offset)}, args...)...)
	n.Stderr = &n.log
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	return n
}

// ready waits until the node serves.
func (n *node) ready(t *testing.T) {
	t.Helper()
	await(t, "ready", func() error {
		resp, err := http.Get("http://" + address(localhost, grevy.HTTPPort+n.offset) + "/ready")
		if err != nil {
			return err
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s, %v", resp.Status, err)
		}
		return nil
	})
}

func TestStart_EndsWithASignalAndKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	model := writeModel(t, "kept")
	for i, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGKILL, syscall.SIGTERM} {
		n := startNode(t, "--data-dir", dir, "--log-format", "json")
		n.ready(t)
		gateway := address(localhost, grevy.GatewayPort+n.offset)
		if i == 0 {
			grevyRun(t, "deploy", model, "--address", gateway).ok(t)
		}
		var c created
		grevyRun(t, "create", "kept", "--address", gateway, "-o", "json").ok(t).decode(t, &c)
		if c.Version != 1 {
			t.Errorf("version %d", c.Version)
		}
		if err := n.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		err := n.Wait()
		if sig == syscall.SIGKILL {
			continue
		}
		if err != nil {
			t.Fatalf("after %s: %v\n%s", sig, err, n.log.String())
		}
		for _, line := range strings.Split(strings.TrimSpace(n.log.String()), "\n") {
			if !strings.HasPrefix(line, `{"time":`) {
				t.Errorf("not a line of JSON: %q", line)
			}
		}
		if !regexp.MustCompile(`"msg":"ready".*"msg":"stopping".*"msg":"stopped"`).MatchString(strings.ReplaceAll(n.log.String(), "\n", " ")) {
			t.Errorf("log after %s:\n%s", sig, n.log.String())
		}
	}
}

func TestStart_ASignalEndsTheWaitForOthers(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--data-dir", t.TempDir(), "--cluster-size", "2", "--host", localhost, "--join", address(localhost, 1))
	await(t, "listening", func() error {
		if isFree(localhost, grevy.HTTPPort+n.offset) {
			return errNotYet
		}
		return nil
	})
	if err := n.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = n.Wait()
	if n.ProcessState.ExitCode() != exitError || !strings.Contains(n.log.String(), "grevy: stopped before the node was ready") {
		t.Errorf("exit code %d: %s", n.ProcessState.ExitCode(), n.log.String())
	}
}

// A status can be asked for while the cluster forms, and says what is missing.
func TestStart_AStatusBeforeTheClusterHasFormed(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--data-dir", t.TempDir(), "--cluster-size", "2", "--host", localhost, "--join", address(localhost, 1))
	var r result
	await(t, "a status", func() error {
		if r = grevyRun(t, "status", "--http", address(localhost, grevy.HTTPPort+n.offset)); r.code == exitUnreachable {
			return errNotYet
		}
		return nil
	})
	if r.code != exitError || !strings.Contains(r.out, "problem: the cluster has not formed: nodes [1] were not seen") || !strings.Contains(r.out, "→ start all of its nodes") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	if err := n.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = n.Wait()
}

func TestSignals_TheSecondEndsAtOnce(t *testing.T) {
	t.Parallel()
	cmd := process(t, "deaf")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "listening" {
		t.Fatalf("%q, %v", lines.Text(), lines.Err())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "first signal" {
		t.Fatalf("%q, %v", lines.Text(), lines.Err())
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// The handler is taken away a moment after the first one was heard.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case <-ended:
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGTERM {
				t.Errorf("ended by %v", cmd.ProcessState)
			}
			return
		case <-tick.C:
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
		case <-deadline:
			t.Fatal("still there")
		}
	}
}
