package diskspace_test

import (
	"errors"
	"testing"

	"github.com/grevy-io/grevy/internal/diskspace"
)

func TestWatch_Levels(t *testing.T) {
	var free uint64
	var broken error
	w := diskspace.New(func() (uint64, uint64, error) { return free, 100_000, broken }, diskspace.Marks{Scarce: 1600, Ended: 800})
	for i, step := range []struct {
		free uint64
		want diskspace.Level
	}{
		{2000, diskspace.Enough}, {1600, diskspace.Enough}, {1599, diskspace.Scarce},
		{1700, diskspace.Scarce}, {1799, diskspace.Scarce}, {1800, diskspace.Enough},
		{799, diskspace.Ended}, {899, diskspace.Ended}, {900, diskspace.Scarce}, {1799, diskspace.Scarce},
		{100, diskspace.Ended}, {5000, diskspace.Enough},
	} {
		free = step.free
		if got, err := w.Look(); got != step.want || w.Level() != step.want || w.Free() != step.free || err != nil {
			t.Errorf("step %d, %d free: %v %v, expected %v", i, step.free, got, err, step.want)
		}
	}
	free, broken = 1, errors.New("no such disk")
	if got, err := w.Look(); got != diskspace.Enough || err == nil {
		t.Errorf("unknown room changes nothing and is said: %v %v", got, err)
	}
}

func TestWatch_Defaults(t *testing.T) {
	for _, tt := range []struct {
		total, free uint64
		marks       diskspace.Marks
		want        diskspace.Level
	}{
		{1 << 40, 1 << 30, diskspace.Marks{}, diskspace.Enough},
		{1 << 40, 1<<30 - 1, diskspace.Marks{}, diskspace.Scarce},
		{1 << 40, 1<<29 - 1, diskspace.Marks{}, diskspace.Ended},
		{1000, 99, diskspace.Marks{}, diskspace.Scarce},
		{1000, 49, diskspace.Marks{}, diskspace.Ended},
		{1000, 0, diskspace.Marks{Scarce: -1}, diskspace.Enough},
		{1000, 10, diskspace.Marks{Scarce: -1, Ended: 20}, diskspace.Ended},
	} {
		w := diskspace.New(func() (uint64, uint64, error) { return tt.free, tt.total, nil }, tt.marks)
		if got, err := w.Look(); got != tt.want || err != nil {
			t.Errorf("%d of %d, %+v: %v %v, expected %v", tt.free, tt.total, tt.marks, got, err, tt.want)
		}
	}
	if l := (*diskspace.Watch)(nil).Level(); l != diskspace.Enough {
		t.Errorf("unwatched: %v", l)
	}
}

func TestOf(t *testing.T) {
	free, total, err := diskspace.Of(t.TempDir())()
	if err != nil || total == 0 || free > total {
		t.Errorf("%d of %d: %v", free, total, err)
	}
}
