package chaos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// disk is a small one, under the last node. Where none can be mounted the node is
// restarted with marks that its disk does not reach.
type disk struct {
	mount string // empty: there is none
	node  *cluster.Node
	marks []string // flags of the node, instead of the usual ones
}

const (
	mb       = 1 << 20
	diskSize = 2048 * mb
	minFree  = 200 * mb
	stopFree = 100 * mb
)

func newDisk(t *testing.T) *disk {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		t.Logf("no small disk can be mounted here (%v): a node is restarted with other marks instead", err)
		return &disk{}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return &disk{mount: dir}
}

// under puts a node's directory onto the disk.
func (d *disk) under(n *cluster.Node) {
	if d.node = n; d.mount != "" {
		n.Dir = filepath.Join(d.mount, "data")
	}
}

func (d *disk) flags(node int) []string {
	switch {
	case d.node == nil || node != d.node.ID:
		return nil
	case d.mount != "":
		return []string{"--disk-min-free", fmt.Sprint(minFree), "--disk-stop-free", fmt.Sprint(stopFree)}
	}
	return d.marks
}

func (d *disk) ballast() string { return filepath.Join(d.mount, "ballast") }

// leave fills the disk until so many bytes are free.
func (d *disk) leave(free int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(d.mount, &st); err != nil {
		return err
	}
	size := int64(st.Bavail)*st.Bsize - free
	if size <= 0 {
		return fmt.Errorf("%w: only %d bytes are free", errSkipped, int64(st.Bavail)*st.Bsize)
	}
	f, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), 0, 0, size)
}

// fill takes the room on a disk away.
func (r *run) fill(k kind) (heal func(), whom string, err error) {
	d := r.disk
	whom = fmt.Sprintf("node %d", d.node.ID)
	if d.mount == "" {
		return r.remark(k, whom)
	}
	free := int64(minFree+stopFree) / 2
	if k == noDisk {
		free = stopFree / 2
	}
	if err := d.leave(free); err != nil {
		return nil, whom, err
	}
	return func() {
		if err := os.Remove(d.ballast()); err != nil && !errors.Is(err, fs.ErrNotExist) { // gone with a directory that was lost meanwhile
			r.h.Violation("make room again: %v", err)
		}
	}, whom, nil
}

// remark restarts the node with marks beyond what its disk has.
func (r *run) remark(k kind, whom string) (heal func(), _ string, err error) {
	n := r.disk.node
	if !r.up(n.ID) {
		return nil, whom, errSkipped
	}
	const beyond = 1 << 60
	marks := []string{"--disk-min-free", fmt.Sprint(beyond), "--disk-stop-free", "1"}
	if k == noDisk {
		marks[3] = fmt.Sprint(beyond / 2)
	}
	again := func(marks []string) {
		r.disk.marks = marks
		r.states[n.ID].Store(stateDown)
		n.Kill()
		r.start(n)
	}
	again(marks)
	r.rest(time.Second)
	return func() { again(nil) }, whom + ", restarted with other marks", nil
}
