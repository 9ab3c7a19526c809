package gateway

import "time"

// Tuning lets tests shorten what takes long.
type Tuning struct {
	Await, Park, Linger, Stall time.Duration
	Width                      int
}

// NewTuned is New with times that fit a test; zero keeps the default.
func NewTuned(cfg Config, b Broker, t Tuning) *Server {
	tuned := defaultTuning
	for _, f := range []struct {
		to   *time.Duration
		from time.Duration
	}{{&tuned.await, t.Await}, {&tuned.park, t.Park}, {&tuned.linger, t.Linger}, {&tuned.stall, t.Stall}} {
		if f.from > 0 {
			*f.to = f.from
		}
	}
	if t.Width > 0 {
		tuned.width = t.Width
	}
	return newServer(cfg, b, tuned)
}

// Lines tells how many polls wait for jobs of a type.
func (s *Server) Lines(jobType string) int {
	s.polling.mu.Lock()
	defer s.polling.mu.Unlock()
	if q := s.polling.queues[jobType]; q != nil {
		return len(q.line)
	}
	return 0
}

// Watched tells whether a type is watched for polls.
func (s *Server) Watched(jobType string) bool {
	s.polling.mu.Lock()
	defer s.polling.mu.Unlock()
	return s.polling.queues[jobType] != nil
}

// Clients tells how many streams each group has.
func (s *Server) Clients() []int {
	s.pushing.mu.Lock()
	defer s.pushing.mu.Unlock()
	var n []int
	for _, g := range s.pushing.groups {
		g.mu.Lock()
		n = append(n, len(g.clients))
		g.mu.Unlock()
	}
	return n
}

// ISODuration is isoDuration.
func ISODuration(d time.Duration) string { return isoDuration(d) }

// Backoffs returns the first n pauses of a backoff.
func Backoffs(n int) []time.Duration {
	var b backoff
	d := make([]time.Duration, n)
	for i := range d {
		d[i] = b.next()
	}
	return d
}
