package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
)

// fakeHTTP answers as a node's HTTP port does.
func fakeHTTP(t *testing.T, answers map[string]any) (address string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		v, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if err, ok := v.(error); ok {
			w.WriteHeader(http.StatusServiceUnavailable)
			v = map[string]string{"error": err.Error()}
		}
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), asked
}

func sickStatus() grevy.Status {
	return grevy.Status{
		Cluster: "0123456789abcdef", Node: 0, Version: "8.6.0", UptimeSeconds: 273_600, ReplicationFactor: 3, Deployments: 1318, Everywhere: 1316, Refused: 1,
		Problems: []grevy.Problem{{Text: "node 2 is away", Next: "on its host: grevy start --node-id 2 …"}, {Text: "partition 3 has no leader", Next: "start it"}},
		Nodes: []grevy.NodeStatus{
			{ID: 0, Gateway: "10.0.0.1:26500", HTTP: "10.0.0.1:9600", Version: "8.6.0", Alive: true, Ready: true, Link: "self", UptimeSeconds: 273_600, Leads: []int{1, 2}, RSSBytes: 41 << 20, DiskBytes: 1200 << 20},
			{ID: 1, Gateway: "10.0.0.2:26500", HTTP: "10.0.0.2:9600", Version: "8.6.0", Alive: true, Link: "relayed through node 0", UptimeSeconds: 65, Leads: []int{}},
			{ID: 2, Leads: []int{}},
		},
		Partitions: []grevy.PartitionStatus{
			{ID: 1, Leader: 0, Term: 7, Applied: 1234567, Lag: 12, Replicas: []int{0, 1, 2}, Instances: 1204, JobsWaiting: 3, JobsActive: 12, DeploymentSeq: 1318, Pending: 2,
				Lanes: []grevy.LaneStatus{{Target: 3, Lane: "deployments", Pending: 2, OldestMs: 65_000, Attempts: 14, Error: "unreachable: no link to node 2"}}},
			{ID: 2, Leader: 0, Term: 9, Applied: 9, Replicas: []int{1, 2, 0}, Incidents: 1, DeploymentSeq: 1316, Behind: 2},
			{ID: 3, Leader: -1, Replicas: []int{2, 0, 1}, Problem: "no leader"},
		},
	}
}

// The screen is kept in testdata; GREVY_UPDATE=1 writes it anew.
func TestStatus_TheScreen(t *testing.T) {
	at, _ := fakeHTTP(t, map[string]any{"/api/status": sickStatus()})
	r := grevyRun(t, "status", "--http", at)
	if r.code != exitError || r.err != "" {
		t.Errorf("exit code %d, %s", r.code, r.err)
	}
	golden(t, "status.txt", r.out)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("GREVY_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestStatus_JSONIsWhatTheNodeSaid(t *testing.T) {
	want := sickStatus()
	at, _ := fakeHTTP(t, map[string]any{"/api/status": want})
	var got grevy.Status
	r := grevyRun(t, "status", "--http", at, "-o", "json")
	r.decode(t, &got)
	if a, b := asJSON(t, got), asJSON(t, want); a != b || r.code != exitError {
		t.Errorf("exit code %d, %s, want %s", r.code, a, b)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStatus_ExitCodeTellsHealth(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{})
	grevyRun(t, "status", "--http", httpOf(b)).ok(t).matches(t,
		`cluster [0-9a-f]{8} · 1 node · 3 partitions · rf 1 · node 0 up \S+ · HEALTHY`, "",
		`node  clients +http +ready  link +up +memory +disk  leads`,
		`0     127\.0\.0\.1:\d+  127\.0\.0\.1:\d+  yes    self  +\S+  +\d+ MB  +\d+ MB  1,2,3`, "",
		`part  leader  nodes  lag  instances  jobs wait/act  incidents  unsent  deployed`,
		`1     0       0        0          0            0/0          0       0  0 ✓`, `2     0 .*✓`, `3     0 .*✓`, "",
		`deployments: 0 total · 0 everywhere · 0 in flight`)

	r := grevyRun(t, "status", "--http", localhost+":1,"+localhost+":2")
	if r.code != exitUnreachable || !strings.Contains(r.err, "grevy: no node answers (127.0.0.1:1: connection refused, 127.0.0.1:2: connection refused)") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	// The second node answers for the first, and the first is a problem.
	r = grevyRun(t, "status", "--http", localhost+":1,"+httpOf(b))
	if r.code != exitError || !strings.Contains(r.out, "problem: 127.0.0.1:1 does not answer: connection refused") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	// Some other server is no node.
	at, _ := fakeHTTP(t, nil)
	r = grevyRun(t, "status", "--http", at)
	if r.code != exitUnreachable || !strings.Contains(r.err, "404 Not Found: is this a node's HTTP port?") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}

func TestStatus_TheAddressMayBeInTheEnvironment(t *testing.T) {
	at, asked := fakeHTTP(t, map[string]any{"/api/status": sickStatus()})
	t.Setenv("GREVY_HTTP", at)
	if r := grevyRun(t, "status"); r.code != exitError || asked.Load() != 1 {
		t.Errorf("exit code %d, asked %d times: %s", r.code, asked.Load(), r.err)
	}
}

func TestStatus_WatchGoesOnUntilASignal(t *testing.T) {
	healthy := sickStatus()
	healthy.Healthy, healthy.Problems = true, []grevy.Problem{}
	for _, c := range []struct {
		name   string
		status grevy.Status
		code   int
	}{{"healthy", healthy, exitOK}, {"not healthy", sickStatus(), exitError}} {
		t.Run(c.name, func(t *testing.T) {
			at, asked := fakeHTTP(t, map[string]any{"/api/status": c.status})
			ctx, cancel := context.WithCancel(t.Context())
			results := make(chan result, 1)
			go func() {
				results <- grevyRunWith(ctx, "", "status", "--watch", "--every", "1ms", "--http", at, "-o", "json")
			}()
			await(t, "three statuses", func() error {
				if asked.Load() < 4 {
					return errNotYet
				}
				return nil
			})
			cancel()
			r := <-results
			if n := strings.Count(r.out, `{"cluster":"0123456789abcdef"`); n < 3 || n != strings.Count(r.out, "\n") || r.code != c.code || r.err != "" {
				t.Errorf("%d documents, exit code %d: %s%s", n, r.code, r.out, r.err)
			}
		})
	}
}

// Two nodes, of which one goes: the other one says what is missing.
func TestStatus_ANodeThatWent(t *testing.T) {
	t.Parallel()
	offsets := []int{offsetFor(t), offsetFor(t)}
	nodes := make(chan *grevy.Broker, 2)
	for n := range 2 {
		go func() {
			b, err := grevy.Open(grevy.Config{
				NodeID: n, ClusterSize: 2, Partitions: 2, ReplicationFactor: 1, Host: localhost, PortOffset: offsets[n], DataDir: filepath.Join(t.TempDir(), "node"),
				Join: []string{address(localhost, grevy.GossipPort+offsets[0]), address(localhost, grevy.GossipPort+offsets[1])}, Log: quiet, StartTimeout: 20 * time.Second,
			})
			if err != nil {
				t.Error(err)
			}
			nodes <- b
		}()
	}
	byID := map[int]*grevy.Broker{}
	for range 2 {
		if b := <-nodes; b != nil {
			byID[b.NodeID] = b
			t.Cleanup(func() { _ = b.Close() })
		}
	}
	if len(byID) < 2 {
		t.FailNow()
	}
	at := []string{"status", "--http", httpOf(byID[0])}
	await(t, "a healthy cluster", func() error {
		if r := grevyRun(t, at...); r.code != exitOK {
			return fmt.Errorf("%s", r.out)
		}
		return nil
	})
	if err := byID[1].Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the problem", func() error {
		r := grevyRun(t, at...)
		if r.code == exitError && strings.Contains(r.out, "problem: node 1 is away\n  → on its host: grevy start --node-id 1") && strings.Contains(r.out, "problem: partition 2 ") {
			return nil
		}
		return fmt.Errorf("exit code %d: %s", r.code, r.out)
	})
}
