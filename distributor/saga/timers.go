package saga

import "time"

const noSlot = -1

// timers orders channels by when they must be looked at next: a binary heap in
// which every channel knows its slot. Equal times go by channel, so that the
// order of events alone decides.
type timers struct{ heap []*channel }

// set notes when c is due; the zero time takes it out.
func (t *timers) set(c *channel, at time.Time) {
	switch {
	case at.IsZero() && c.slot == noSlot:
		return
	case at.IsZero():
		t.remove(c)
	case c.slot == noSlot:
		c.due, c.slot = at, len(t.heap)
		t.heap = append(t.heap, c)
		t.up(c.slot)
	default:
		c.due = at
		t.up(c.slot)
		t.down(c.slot)
	}
}

// next returns the earliest time at which a channel is due.
func (t *timers) next() (time.Time, bool) {
	if len(t.heap) == 0 {
		return time.Time{}, false
	}
	return t.heap[0].due, true
}

// popDue takes out the first channel that is due at now, or returns nil.
func (t *timers) popDue(now time.Time) *channel {
	if len(t.heap) == 0 || t.heap[0].due.After(now) {
		return nil
	}
	c := t.heap[0]
	t.remove(c)
	return c
}

func (t *timers) remove(c *channel) {
	i, last := c.slot, len(t.heap)-1
	t.swap(i, last)
	t.heap[last] = nil
	t.heap = t.heap[:last]
	c.slot = noSlot
	if i < last {
		t.up(i)
		t.down(i)
	}
}

func (t *timers) before(i, j int) bool {
	a, b := t.heap[i], t.heap[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.name.compare(b.name) < 0
}

func (t *timers) swap(i, j int) {
	t.heap[i], t.heap[j] = t.heap[j], t.heap[i]
	t.heap[i].slot, t.heap[j].slot = i, j
}

func (t *timers) up(i int) {
	for i > 0 && t.before(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (t *timers) down(i int) {
	for {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(t.heap) && t.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}
