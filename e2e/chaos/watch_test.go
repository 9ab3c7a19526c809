package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// watch looks at what the nodes need while they run.
type watch struct {
	r   *run
	end context.CancelFunc
	wg  sync.WaitGroup

	mu       sync.Mutex
	memory   float64 // the most of any node
	routines float64
	said     map[string]bool
}

func newWatch(r *run) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{r: r, end: cancel, said: map[string]bool{}}
	w.wg.Go(func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	return w
}

func (w *watch) stop() {
	w.end()
	w.wg.Wait()
}

func (w *watch) look(ctx context.Context) {
	for i, n := range w.r.c.Nodes[:w.r.nodes] {
		if !w.r.up(i) || !n.Running() {
			continue
		}
		memory, routines, err := needs(ctx, n)
		if err != nil {
			continue // it may be going down, or be cut into pieces of time
		}
		w.mu.Lock()
		w.memory, w.routines = max(w.memory, memory), max(w.routines, routines)
		w.mu.Unlock()
		w.bound(n, "bytes of memory", memory, mostMemory)
		w.bound(n, "goroutines", routines, mostRoutines)
	}
}

// bound complains once about each node that has too much of something.
func (w *watch) bound(n *cluster.Node, what string, has, most float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name := fmt.Sprint(n.ID, what); has > most && !w.said[name] {
		w.said[name] = true
		w.r.h.Violation("node %d has %.0f %s, more than %.0f", n.ID, has, what, most)
	}
}

func needs(ctx context.Context, n *cluster.Node) (memory, routines float64, err error) {
	if memory, err = n.Metric(ctx, "process_resident_memory_bytes"); err != nil {
		return 0, 0, err
	}
	routines, err = n.Metric(ctx, "go_goroutines")
	return memory, routines, err
}

// cries are what no log may hold.
var cries = []string{"panic:", "fatal error:", "DATA RACE", "mistake of ours", "SIGSEGV", "SIGBUS", "set aside"}

// scan looks for what no log may hold, and counts errors and warnings by their
// words.
func scan(log string) (cried []string, errors map[string]int) {
	errors = map[string]int{}
	for line := range strings.Lines(log) {
		if slices.ContainsFunc(cries, func(c string) bool { return strings.Contains(line, c) }) {
			cried = append(cried, strings.TrimSpace(line))
		}
		if strings.Contains(line, "level=ERROR") {
			_, text, _ := strings.Cut(line, "msg=")
			errors[strings.TrimSpace(text[:min(len(text), 100)])]++
		}
	}
	return cried, errors
}
