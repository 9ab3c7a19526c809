package saga

import "time"

// Phase is what a channel is doing.
type Phase string

// The phases of a channel, see the picture in the package comment.
const (
	Idle    Phase = "idle"
	Sending Phase = "sending"
	Waiting Phase = "waiting"
	Basing  Phase = "basing"
)

// Status is a channel as operators see it.
type Status struct {
	Channel Channel
	Phase   Phase

	Pending  int       // rows that the target has not acknowledged
	Acked    Seq       // acknowledged up to here by this leadership; 0 if it does not know yet
	Oldest   time.Time // when the first pending row was written; zero if none is pending
	InFlight int       // rows of the batch under way
	Attempts int       // since rows were last acknowledged, the one under way included
	NextTry  time.Time // the end of the wait; zero unless Waiting

	// LastError says why rows are not getting on; empty after progress.
	LastError string

	Deleting    int    // rows acknowledged and still in the table
	DeleteError string // why they are; empty after progress
}

// Status returns all channels this leadership has seen, by target and lane.
func (s *State) Status() []Status {
	out := make([]Status, 0, len(s.channels))
	for _, c := range s.channels {
		out = append(out, c.status())
	}
	return out
}

// Behind returns the channels of a lane whose table has a row up to seq,
// acknowledged or not.
func (s *State) Behind(lane Lane, seq Seq) (list []Status) {
	for _, c := range s.channels {
		if first, ok := c.rows.after(0); ok && first <= seq && c.name.Lane == lane {
			list = append(list, c.status())
		}
	}
	return list
}

func (c *channel) status() Status {
	st := Status{
		Channel:     c.name,
		Phase:       c.phase(),
		Acked:       c.acked,
		Attempts:    c.tries,
		NextTry:     c.retryAt,
		LastError:   c.lastErr,
		Deleting:    c.rows.countTo(c.acked),
		DeleteError: c.deletion.lastErr,
	}
	st.Pending = c.rows.n - st.Deleting
	if first, ok := c.rows.after(c.acked); ok {
		st.Oldest = c.rows.since(first)
	}
	if st.Phase == Sending {
		st.InFlight = int(c.flight.to - c.flight.from + 1)
	}
	return st
}

func (c *channel) phase() Phase {
	switch {
	case c.flight.attempt != 0 && c.flight.base:
		return Basing
	case c.flight.attempt != 0:
		return Sending
	case !c.retryAt.IsZero():
		return Waiting
	default:
		return Idle
	}
}
