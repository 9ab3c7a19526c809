package diskspace

import (
	"fmt"
	"sync/atomic"
)

// Level says how much room there is.
type Level int32

// The levels.
const (
	Enough Level = iota
	Scarce       // nothing should begin that needs more
	Ended        // nothing should be written
)

// String names the level.
func (l Level) String() string { return [...]string{"enough", "scarce", "ended"}[l] }

// Marks are the bytes below which room is scarce, and has ended. One of 0 is
// chosen by the size of the disk; below 0 it is not looked at.
type Marks struct{ Scarce, Ended int64 }

// Defaults of marks: a part of the disk, at most so many bytes.
const (
	scarceMost = 1 << 30
	scarcePart = 10
)

// withDefaults fills in what is 0. Without a mark for scarce room there is none for
// its end, unless it is given.
func (m Marks) withDefaults(total uint64) Marks {
	if m.Scarce == 0 {
		m.Scarce = int64(min(total/scarcePart, scarceMost))
	}
	if m.Ended == 0 {
		m.Ended = m.Scarce / 2
	}
	return m
}

// Watch is what is known of one disk. A nil Watch has enough of it. It is safe for
// concurrent use.
type Watch struct {
	free  func() (free, total uint64, err error)
	marks Marks
	level atomic.Int32
	left  atomic.Uint64
}

// New watches what free tells of.
func New(free func() (free, total uint64, err error), m Marks) *Watch {
	return &Watch{free: free, marks: m}
}

// Look asks how much room there is now. A level is left only with an eighth more
// than its mark, so that it does not change to and fro.
func (w *Watch) Look() (Level, error) {
	free, total, err := w.free()
	if err != nil {
		return w.Level(), fmt.Errorf("free disk space: %w", err)
	}
	m, was := w.marks.withDefaults(total), w.Level()
	below := func(mark int64, l Level) bool {
		if was >= l {
			mark += mark / 8
		}
		return mark > 0 && free < uint64(mark)
	}
	now := Enough
	switch {
	case below(m.Ended, Ended):
		now = Ended
	case below(m.Scarce, Scarce):
		now = Scarce
	}
	w.left.Store(free)
	w.level.Store(int32(now))
	return now, nil
}

// Level is what the last look has found.
func (w *Watch) Level() Level {
	if w == nil {
		return Enough
	}
	return Level(w.level.Load())
}

// Free is how many bytes the last look has found.
func (w *Watch) Free() uint64 { return w.left.Load() }
