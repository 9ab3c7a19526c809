//go:build linux

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// ballast fills a disk until so many bytes are free.
type ballast struct {
	t   *testing.T
	dir string
}

func (b *ballast) leave(free uint64) {
	b.t.Helper()
	b.drop()
	var st unix.Statfs_t
	if err := unix.Statfs(b.dir, &st); err != nil {
		b.t.Fatal(err)
	}
	f, err := os.Create(b.file())
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(st.Bavail*uint64(st.Bsize)-free)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *ballast) drop() {
	if err := os.Remove(b.file()); err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
}

func (b *ballast) file() string { return filepath.Join(b.dir, "ballast") }

// smallDisk mounts a file system of its own.
func smallDisk(t *testing.T, bytes int64) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// outOfSpace tells whether a call was refused in the original's words.
func outOfSpace(err error) error {
	if s := status.Convert(err); s.Code() != codes.Unavailable || !strings.Contains(s.Message(), "out of disk space") {
		return fmt.Errorf("expected a refusal because of the disk, but got %v", err)
	}
	return nil
}

// TestFullDisk: a disk fills under a node. First what makes the state grow is
// refused and jobs are completed, then nothing is written; when there is room again
// it goes on by itself, with all that was acknowledged.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	disk := smallDisk(t, 600*mb)
	c := cluster.New(t, cluster.Options{Binary: binary, Size: 1, Partitions: 1, ReplicationFactor: 1, Flags: func(int) []string {
		return []string{"--disk-min-free", fmt.Sprint(200 * mb), "--disk-stop-free", fmt.Sprint(100 * mb)}
	}})
	n := c.Nodes[0]
	n.Dir = filepath.Join(disk, "data")
	c.StartAll()
	c.WaitReady(formTime)
	mustDeploy(t, n.Client(), "order", oneTask("order"))
	create := func(ctx context.Context) error {
		_, err := n.Client().CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: "order", Version: -1})
		return err
	}
	complete := func(ctx context.Context, key int64) error {
		_, err := n.Client().CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: key})
		return err
	}
	const created = 400
	for range created {
		if err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keys := activate(t, n.Client(), "order", created)

	b := &ballast{t, disk}
	b.leave(150 * mb)
	cluster.Until(t, serveTime, "creations refused", func(ctx context.Context) error { return outOfSpace(create(ctx)) })
	for _, key := range keys[:5] {
		if err := complete(t.Context(), key); err != nil {
			t.Errorf("a job was not completed although only growth is refused: %v", err)
		}
	}
	if s, err := n.Status(t.Context()); err != nil || s.Healthy || !strings.Contains(s.Problems[0].Text, "disk space is scarce") {
		t.Errorf("the status says %+v, %v", s.Problems, err)
	}
	b.leave(50 * mb)
	left := keys[5:]
	cluster.Until(t, serveTime, "completions refused", func(ctx context.Context) error {
		err := complete(ctx, left[0])
		if err == nil {
			left = left[1:] // the disk was not looked at yet
		}
		return outOfSpace(err)
	})
	if _, err := n.Client().Topology(t.Context(), &pb.TopologyRequest{}); err != nil {
		t.Errorf("reads: %v", err)
	}

	b.drop()
	begun := time.Now()
	cluster.Until(t, serveTime, "creations", create)
	t.Logf("room again: served after %s", time.Since(begun).Round(time.Millisecond))
	n.Kill()
	n.Start()
	n.WaitReady(formTime)
	for _, key := range left {
		if err := complete(t.Context(), key); err != nil {
			t.Errorf("a job that was handed out is gone: %v", err)
		}
	}
	activate(t, n.Client(), "order", 1)
}

// activate takes so many jobs.
func activate(t *testing.T, c pb.GatewayClient, jobType string, want int) (keys []int64) {
	t.Helper()
	cluster.Until(t, serveTime, fmt.Sprintf("%d jobs", want), func(ctx context.Context) error {
		stream, err := c.ActivateJobs(ctx, &pb.ActivateJobsRequest{Type: jobType, Worker: "w", Timeout: 600_000, MaxJobsToActivate: int32(want - len(keys)), RequestTimeout: 1000})
		if err != nil {
			return err
		}
		for {
			resp, err := stream.Recv()
			if err != nil {
				break
			}
			for _, j := range resp.GetJobs() {
				keys = append(keys, j.GetKey())
			}
		}
		if len(keys) < want {
			return fmt.Errorf("%d jobs", len(keys))
		}
		return nil
	})
	return keys
}
