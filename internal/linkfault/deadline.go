package linkfault

import (
	"os"
	"sync"
	"time"
)

// deadline is a point in time that can be moved while somebody waits for it.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	moved chan struct{}
}

func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = at
	if d.moved != nil {
		close(d.moved)
		d.moved = nil
	}
}

func (d *deadline) get() (time.Time, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.moved == nil {
		d.moved = make(chan struct{})
	}
	return d.at, d.moved
}

// expired tells whether the deadline is set and over.
func (d *deadline) expired() bool {
	at, _ := d.get()
	return !at.IsZero() && !time.Now().Before(at)
}

// wait returns nil when one of the wakes is closed, or an error that is a
// timeout when the deadline is over first.
func (d *deadline) wait(wakes ...<-chan struct{}) error {
	var wake [2]<-chan struct{}
	copy(wake[:], wakes)
	for {
		at, moved := d.get()
		var over <-chan time.Time
		var t *time.Timer
		if !at.IsZero() {
			t = time.NewTimer(time.Until(at))
			over = t.C
		}
		select {
		case <-wake[0]:
		case <-wake[1]:
		case <-over:
			return os.ErrDeadlineExceeded
		case <-moved:
			stop(t)
			continue
		}
		stop(t)
		return nil
	}
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}
