package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// backupTime is how long one backup or restore of a small cluster may take, with
// elections meanwhile.
const backupTime = 60 * time.Second

// operate runs the program as an operator does. It is asked of all nodes of a
// cluster, in turn, whether they run or not.
func operate(t *testing.T, c *cluster.Cluster, args ...string) (out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), backupTime)
	defer cancel()
	var at []string
	for _, n := range c.Nodes {
		at = append(at, n.Gateway())
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "GREVY_ADDRESS="+strings.Join(at, ","))
	var said strings.Builder
	cmd.Stderr = &said
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("grevy %s: %v\n%s%s", strings.Join(args, " "), err, b, said.String())
	}
	if said.Len() > 0 {
		t.Logf("grevy %s: %s", args[0], said.String())
	}
	return string(b)
}

// births are instances with a number each, created by several clients at once.
type births struct {
	mu    sync.Mutex
	begun map[int]bool // true: acknowledged
	wg    sync.WaitGroup
	stop  atomic.Bool
}

func giveBirth(c *cluster.Cluster, id string) *births {
	b := &births{begun: map[int]bool{}}
	clients := c.Clients()
	for i := range 4 {
		b.wg.Go(func() {
			for n := i; !b.stop.Load(); n += 4 {
				b.note(n, false)
				_, err := create(context.Background(), clients[n%len(clients)], id, -1, fmt.Sprintf(`{"n":%d}`, n))
				b.note(n, err == nil)
			}
		})
	}
	return b
}

func (b *births) note(n int, sure bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun[n] = sure
}

func (b *births) so() (begun map[int]bool, acknowledged int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, sure := range b.begun {
		if sure {
			acknowledged++
		}
	}
	return maps.Clone(b.begun), acknowledged
}

func (b *births) end() {
	b.stop.Store(true)
	b.wg.Wait()
}

// atWork counts the instances that wait at their job, by their number, and takes
// the jobs.
func atWork(ctx context.Context, c pb.GatewayClient, jobType string, got map[int]int) error {
	for {
		stream, err := c.ActivateJobs(ctx, &pb.ActivateJobsRequest{Type: jobType, Worker: "e2e", Timeout: time.Hour.Milliseconds(), MaxJobsToActivate: 500, RequestTimeout: -1})
		if err != nil {
			return err
		}
		came := 0
		for {
			resp, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			for _, j := range resp.GetJobs() {
				var v struct{ N int }
				if err := json.Unmarshal([]byte(j.GetVariables()), &v); err != nil {
					return err
				}
				came++
				got[v.N]++
			}
		}
		if came == 0 {
			return nil
		}
	}
}

// TestBackup_ByTheProgram: a cluster under load loses a leader while it is backed
// up by `grevy backup`, and is restored by `grevy restore` into one of another
// size: what was acknowledged before is there once, and nothing that was begun
// afterwards.
func TestBackup_ByTheProgram(t *testing.T) {
	t.Parallel()
	c := three(t)
	mustDeploy(t, c.Nodes[0].Client(), "order", oneTask("order"))
	drained(t, c.Nodes[0], drainTime)
	load := giveBirth(c, "order")
	defer load.end()
	dest := filepath.Join(t.TempDir(), "backups")
	enough := func(more int) {
		t.Helper()
		_, had := load.so()
		cluster.Until(t, serveTime, "instances are created", func(context.Context) error {
			if _, has := load.so(); has < had+more {
				return fmt.Errorf("%d of %d", has-had, more)
			}
			return nil
		})
	}
	enough(200)
	operate(t, c, "backup", dest)
	enough(200)
	before, _ := load.so()
	c.Leader(2).Kill()
	var taken struct {
		ID       string
		Attempts int
		Verified bool
		Removed  []string
	}
	if err := json.Unmarshal([]byte(operate(t, c, "backup", dest, "--keep", "1", "--attempts", "20", "-o", "json")), &taken); err != nil {
		t.Fatal(err)
	}
	begun, _ := load.so()
	load.end()
	if len(taken.Removed) != 1 || !taken.Verified {
		t.Errorf("%+v", taken)
	}
	if dirs, err := os.ReadDir(dest); err != nil || len(dirs) != 1 || dirs[0].Name() != taken.ID {
		t.Errorf("%v, %v, want only %s", dirs, err, taken.ID)
	}

	in := cluster.Start(t, cluster.Options{Binary: binary, Size: 1, ReplicationFactor: 1})
	operate(t, in, "restore", dest)
	got := map[int]int{}
	cluster.Until(t, serveTime, "all jobs are given", func(ctx context.Context) error {
		return atWork(ctx, in.Nodes[0].Client(), "order", got)
	})
	sure := 0
	for n, acknowledged := range before {
		if acknowledged {
			sure++
		}
		if acknowledged && got[n] == 0 {
			t.Errorf("%d was acknowledged before the backup and is not in it", n)
		}
	}
	for n, times := range got {
		if _, ok := begun[n]; !ok || times > 1 {
			t.Errorf("%d is there %d times, begun: %t", n, times, ok)
		}
	}
	t.Logf("%d attempts, %d acknowledged before, %d begun in the end, %d restored", taken.Attempts, sure, len(begun), len(got))
}
