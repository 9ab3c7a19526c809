package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// full chooses large sizes: a thousand deployments instead of some.
var full = os.Getenv("GREVY_E2E_FULL") != ""

// size is how much of something a test does.
func size(normal, large int) int {
	if full {
		return large
	}
	return normal
}

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("e2e: left out (-short)")
		return 0
	}
	if binary = os.Getenv("GREVY_E2E_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "grevy-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = cluster.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// three is the usual cluster: three nodes that each keep all three partitions.
func three(t *testing.T) *cluster.Cluster {
	t.Helper()
	return cluster.Start(t, cluster.Options{Binary: binary})
}
