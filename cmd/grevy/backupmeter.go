package main

import (
	"fmt"
	"io"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// meter shows how far a backup or a restore is, on standard error if that is a
// terminal: what is printed on standard output is its result alone.
type meter struct {
	w          io.Writer
	live       bool
	what       string
	partitions int32
	bytes      int64
	shown      time.Time
}

func newMeter(a *app, what string) *meter {
	return &meter{w: a.err, live: isTerminal(a.err), what: what}
}

// seen counts a part. It never fails: it is a [backup.Sink], too.
func (m *meter) seen(p *adminpb.BackupPart) error {
	if h := p.GetHeader(); h != nil {
		m.partitions = h.GetPartitions()
	}
	m.bytes += int64(len(p.GetData().GetData()))
	if m.live && time.Since(m.shown) >= 100*time.Millisecond {
		m.shown = time.Now()
		fmt.Fprintf(m.w, "\r\x1b[K… %s: partition %d of %d, %s", m.what, p.GetData().GetPartition(), m.partitions, size(m.bytes))
	}
	return nil
}

// clear removes the line.
func (m *meter) clear() {
	if m.live {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}
