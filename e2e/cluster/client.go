package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/grevy-io/grevy"
)

// Client talks to the node's gateway. It connects again by itself when the node
// comes back, and says UNAVAILABLE meanwhile.
func (n *Node) Client() pb.GatewayClient {
	n.c.t.Helper()
	if n.conn == nil {
		conn, err := grpc.NewClient(n.Gateway(), grpc.WithTransportCredentials(n.c.Secure), grpc.WithNoProxy(),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond},
				MinConnectTimeout: time.Second,
			}))
		if err != nil {
			n.c.t.Fatal(err)
		}
		n.conn = conn
	}
	return pb.NewGatewayClient(n.conn)
}

func (n *Node) closeClient() {
	if n.conn != nil {
		_ = n.conn.Close() // the process is gone already
	}
}

// Clients lists the clients of all nodes, in order.
func (c *Cluster) Clients() (list []pb.GatewayClient) {
	for _, n := range c.Nodes {
		list = append(list, n.Client())
	}
	return list
}

var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil}, Timeout: 5 * time.Second}

// get asks the node's HTTP port; any answer but 200 is an error.
func (n *Node) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr(grevy.HTTPPort)+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, b)
	}
	return b, err
}

// Status is the cluster as the node sees it.
func (n *Node) Status(ctx context.Context) (s grevy.Status, err error) {
	b, err := n.get(ctx, "/api/status")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// Digest is the sum of all that the node keeps of a partition.
func (n *Node) Digest(ctx context.Context, partition int) (d grevy.ReplicaDigest, err error) {
	b, err := n.get(ctx, fmt.Sprintf("/debug/digest?partition=%d", partition))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	return d, err
}

// Incidents are those of all partitions, as the node is told.
func (n *Node) Incidents(ctx context.Context) (list grevy.Incidents, err error) {
	b, err := n.get(ctx, "/api/incidents?limit=1000")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	return list, err
}

// Instances are the instances of a process on all partitions, of every process if
// it has no name, as the node is told.
func (n *Node) Instances(ctx context.Context, process string) (list grevy.Instances, err error) {
	b, err := n.get(ctx, "/api/instances?limit=1000&name="+url.QueryEscape(process))
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	return list, err
}

// Health is nil if nothing on the node needs attention.
func (n *Node) Health(ctx context.Context) error {
	_, err := n.get(ctx, "/health")
	return err
}

// Metric reads one of the node's metrics, by its name and labels as Prometheus
// shows them; 0 if there is none.
func (n *Node) Metric(ctx context.Context, name string) (float64, error) {
	b, err := n.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(text), 64)
		}
	}
	return 0, nil
}

// Ask runs the program's own command against the node's HTTP port, as an
// operator would, and gives what it prints.
func (n *Node) Ask(ctx context.Context, command string, args ...string) (string, error) {
	args = append([]string{command, "--http", n.addr(grevy.HTTPPort)}, args...)
	cmd := exec.CommandContext(ctx, n.c.Binary, args...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("grevy %s: %w: %s", command, err, out)
	}
	return string(out), err
}

// Deployments lists all deployments, newest first, and where each of them is.
func (n *Node) Deployments(ctx context.Context) (all []grevy.DeploymentStatus, err error) {
	const page = 500
	for before := "0"; ; before = all[len(all)-1].Key {
		b, err := n.get(ctx, fmt.Sprintf("/api/deployments?limit=%d&before=%s", page, before))
		if err != nil {
			return nil, err
		}
		var list []grevy.DeploymentStatus
		if err := json.Unmarshal(b, &list); err != nil {
			return nil, err
		}
		if all = append(all, list...); len(list) < page {
			return all, nil
		}
	}
}
