//go:build !linux

package chaos

import (
	"fmt"
	"testing"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// disk is nothing here.
type disk struct{}

func newDisk(*testing.T) *disk { return &disk{} }

func (*disk) under(*cluster.Node) {}

func (*disk) flags(int) []string { return nil }

func (r *run) fill(kind) (heal func(), whom string, err error) {
	return nil, "", fmt.Errorf("%w: disks are filled on Linux only", errSkipped)
}
