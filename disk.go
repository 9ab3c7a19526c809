package grevy

import (
	"context"
	"fmt"

	"github.com/grevy-io/grevy/internal/diskspace"
)

// openSpace looks at the disk before anything is written to it, and each second
// from then on (watchSpace).
func (b *Broker) openSpace() error {
	if b.free == nil {
		b.free = diskspace.Of(b.DataDir)
	}
	b.space = diskspace.New(b.free, diskspace.Marks{Scarce: b.MinFree, Ended: b.StopFree})
	_, err := b.space.Look()
	return err
}

// watchSpace looks at the disk again.
func (b *Broker) watchSpace(context.Context) {
	was := b.space.Level()
	now, err := b.space.Look()
	if err != nil {
		b.Log.Warn("free disk space is not known", "err", err)
		return
	}
	if now != was {
		b.Log.Warn("free disk space", "level", now, "before", was, "bytes", b.space.Free())
		b.report()
	}
}

// leaveFullDisk gives away what this node leads while its disk has no room. Who
// cannot take it now is asked again later: nothing is written here meanwhile.
func (b *Broker) leaveFullDisk(ctx context.Context) {
	if b.space.Level() != diskspace.Ended {
		return
	}
	for _, part := range b.partitions() {
		if part.Group().IsLeader() { // though it may not serve: that begins with a write
			b.leadElsewhere(ctx, part, b.otherVoters(part))
		}
	}
}

// spaceProblem says what is wrong with the disk, "" if nothing is.
func (b *Broker) spaceProblem() string {
	mb := b.space.Free() >> 20
	switch b.space.Level() {
	case diskspace.Scarce:
		return fmt.Sprintf("disk space is scarce, %d MB are free: what makes the state grow is refused", mb)
	case diskspace.Ended:
		return fmt.Sprintf("disk space has ended, %d MB are free: nothing is written here", mb)
	}
	return ""
}
