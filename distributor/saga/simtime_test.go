package saga_test

import (
	"container/heap"
	"time"
)

// This file is the time of the simulation.

// after runs do when the time has come; equal times go by order of request.
func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.todo, happening{at: w.now.Add(d), order: w.order, do: do})
}

func (w *world) runUntil(end time.Time) {
	for len(w.todo) > 0 && !w.todo[0].at.After(end) {
		h := heap.Pop(&w.todo).(happening)
		w.now = h.at
		h.do()
	}
	w.now = end
}

type happening struct {
	at    time.Time
	order int
	do    func()
}

type timeline []happening

func (t timeline) Len() int      { return len(t) }
func (t timeline) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timeline) Push(x any)   { *t = append(*t, x.(happening)) }
func (t timeline) Less(i, j int) bool {
	return t[i].at.Before(t[j].at) || t[i].at.Equal(t[j].at) && t[i].order < t[j].order
}

func (t *timeline) Pop() any {
	h := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return h
}
