package remote

import (
	"slices"
	"sync"
)

// watchers tells others that something has changed, on a goroutine of its own.
// Changes that come faster than they are told are told once.
type watchers struct {
	wake chan struct{} // one token: something has changed
	done chan struct{}

	mu sync.Mutex
	fs []*func()
}

func newWatchers() *watchers {
	return &watchers{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (w *watchers) watch(f func()) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fs = append(w.fs, &f)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fs = slices.DeleteFunc(w.fs, func(o *func()) bool { return o == &f })
	}
}

func (w *watchers) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watchers) close() { close(w.done) }

func (w *watchers) deliver() {
	for {
		select {
		case <-w.done:
			return
		case <-w.wake:
		}
		w.mu.Lock()
		fs := slices.Clone(w.fs)
		w.mu.Unlock()
		for _, f := range fs {
			(*f)()
		}
	}
}
