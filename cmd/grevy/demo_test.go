package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grevy-io/grevy"
)

// inTemp makes the temporary directory one of the test's, that must be empty
// again at its end.
func inTemp(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func TestDemo_MeasuresAndCleansUp(t *testing.T) {
	inTemp(t)
	r := grevyRun(t, "demo", "--deployments", "20", "--instances", "50").ok(t)
	var steps []string
	for _, line := range strings.Split(r.out, "\n") {
		if after, ok := strings.CutPrefix(line, "✓ "); ok {
			steps = append(steps, after[:strings.Index(after, ":")])
		}
	}
	want := "three nodes, three partitions, each kept three times|20 versions of a process, deployed one after another|until every partition has all of them|" +
		"an instance of version 20 on every partition|50 instances, 32 callers|"
	if got := strings.Join(steps, "|"); !strings.HasPrefix(got, want) || len(steps) != 6 {
		t.Errorf("steps %s", got)
	}
	for _, row := range []string{"\ndeployments  20  ", "\neverywhere ", "\ninstances    50  ", "\njobs ", "\nmemory ", "\nleaders "} {
		if !strings.Contains(r.out, row) {
			t.Errorf("no row %q in\n%s", row, r.out)
		}
	}
}

func TestDemo_JSONOnStandardOutputAlone(t *testing.T) {
	inTemp(t)
	r := grevyRun(t, "demo", "--deployments", "3", "--instances", "10", "-o", "json")
	var got demoResult
	r.decode(t, &got)
	if r.code != exitOK || !strings.Contains(r.err, "✓ 3 versions") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if got.Deployments != 3 || got.Instances != 10 || got.Jobs < 13 || len(got.Leaders) != 3 || len(got.PortOffsets) != 3 ||
		got.DeploymentsPerSecond <= 0 || got.InstancesPerSecond <= 0 || got.JobsPerSecond <= 0 || got.MemoryBytes <= 0 {
		t.Errorf("%+v", got)
	}
	for p, node := range got.Leaders {
		if p < 1 || p > 3 || node < 0 || node > 2 {
			t.Errorf("partition %d led by %d", p, node)
		}
	}
}

func TestDemo_ASignalEndsItAndCleansUp(t *testing.T) {
	t.Run("while the nodes open", func(t *testing.T) {
		inTemp(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		results := make(chan result, 1)
		go func() { results <- grevyRunWith(ctx, "", "demo") }()
		await(t, "a store", func() error {
			if found, err := filepath.Glob(filepath.Join(os.TempDir(), "grevy-demo-*", "node-2", "state", "*")); err != nil || len(found) == 0 {
				return errNotYet
			}
			return nil
		})
		cancel()
		(<-results).oneLine(t, "grevy: interrupted")
	})
	t.Run("while it deploys", func(t *testing.T) {
		inTemp(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := runAndWatch(ctx, func(line string) {
			if strings.HasPrefix(line, "✓ three nodes") {
				cancel()
			}
		}, "demo", "--deployments", "1000000")
		r.oneLine(t, "grevy: interrupted")
		if !strings.Contains(r.out, "✗ 1,000,000 versions") {
			t.Error(r.out)
		}
	})
}

// runAndWatch runs the program and shows each line that it prints.
func runAndWatch(ctx context.Context, line func(string), args ...string) result {
	out, in := io.Pipe()
	var errOut bytes.Buffer
	codes := make(chan int, 1)
	go func() {
		code := run(ctx, args, nil, in, &errOut)
		_ = in.Close()
		codes <- code
	}()
	var all strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		line(lines.Text())
	}
	return result{<-codes, all.String(), errOut.String()}
}

// With --keep, clients were promised the default port.
func TestDemo_KeepNeedsTheDefaultPort(t *testing.T) {
	inTemp(t)
	if l, err := net.Listen("tcp", address(demoHost, grevy.GatewayPort)); err == nil {
		defer func() { _ = l.Close() }() // else something else holds it
	}
	grevyRun(t, "demo", "--keep").oneLine(t, "keep: port 26500 is in use", "leave out --keep")
}

func TestDemo_KeptUntilASignal(t *testing.T) {
	if used := portsInUse(demoHost, 0); len(used) > 0 {
		t.Skipf("port %d is in use", used[0])
	}
	inTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := runAndWatch(ctx, func(line string) {
		if strings.HasPrefix(line, "running; clients: 127.0.0.1:26500") {
			grevyRun(t, "create", "demo", "-o", "json").ok(t)
			grevyRun(t, "status").ok(t)
			cancel()
		}
	}, "demo", "--keep", "--deployments", "2", "--instances", "2").ok(t)
	if ctx.Err() == nil {
		t.Error(r.out)
	}
}
