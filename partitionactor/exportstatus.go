package partitionactor

import "sync"

// exportStatus is how the record log of a partition does here.
type exportStatus struct {
	mu sync.Mutex
	s  ExportStatus
}

// ExportStatus is how far the records of a partition are in the record log.
type ExportStatus struct {
	Index    uint64 // of the log, as far as it is exported here
	Records  uint64 // written here
	Lost     uint64 // entries whose records can no longer be written
	Failures uint64 // attempts to write that have failed
	Problem  string // of the last attempt, "" if it went well
}

// Exported tells how the record log of this partition does on this node.
func (p *Partition) Exported() ExportStatus {
	p.exported.mu.Lock()
	defer p.exported.mu.Unlock()
	return p.exported.s
}

func (e *exportStatus) change(f func(*ExportStatus)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.s)
}

func (e *exportStatus) ok(index uint64) {
	e.change(func(s *ExportStatus) { s.Index, s.Problem = index, "" })
}

func (e *exportStatus) count(records int) {
	e.change(func(s *ExportStatus) { s.Records += uint64(records) })
}

func (e *exportStatus) lost(entries uint64) {
	e.change(func(s *ExportStatus) { s.Lost += entries })
}

func (e *exportStatus) failed(err error) {
	e.change(func(s *ExportStatus) {
		s.Failures++
		s.Problem = err.Error()
	})
}
