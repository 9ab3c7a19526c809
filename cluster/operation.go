package cluster

import (
	"errors"
	"fmt"
	"slices"
)

// Operation is one request on its way.
type Operation struct {
	ID      uint64  `json:"id"` // the version of the plan with which it began
	Request Request `json:"request"`
	Steps   []Step  `json:"steps"`
	At      int     `json:"at"` // the step under way; all before it are done
	Started int64   `json:"started"`
	Ended   int64   `json:"ended,omitempty"` // ms since 1970, like Started
	// Outcome is "done", or why it ended before that.
	Outcome string `json:"outcome,omitempty"`
}

// Done is the outcome of an operation whose steps are all done.
const Done = "done"

// ErrBusy says that another operation is under way.
var ErrBusy = errors.New("another operation is under way")

// ErrNothing says that the cluster is already as requested.
var ErrNothing = errors.New("nothing to do")

// Begin plans a request and starts its first step.
func (p *Plan) Begin(r Request, s Seen, now int64) (*Plan, error) {
	if o := p.Operation; o != nil {
		return nil, fmt.Errorf("%w: %s, at step %d of %d (%s); wait for it, or end it: grevy cluster cancel",
			ErrBusy, o.Request, o.At+1, len(o.Steps), o.Steps[o.At])
	}
	steps, err := p.Steps(r, s)
	if err != nil {
		return nil, err
	}
	next := p.clone()
	next.Version++
	next.Operation = &Operation{ID: next.Version, Request: r, Steps: steps, Started: now}
	next.apply(steps[0])
	return next, nil
}

// Advance notes that the step under way is done, with what is to be told of it,
// and starts the next one, or ends the operation.
func (p *Plan) Advance(note string, now int64) *Plan {
	next := p.clone()
	next.Version++
	o := next.Operation
	o.Steps[o.At].Note = note
	if o.At+1 == len(o.Steps) {
		next.end(Done, now)
		return next
	}
	o.At++
	next.apply(o.Steps[o.At])
	return next
}

// Cancel ends the operation under way. What its steps have done stays; a copy
// that was being made is given up, and a partition that does not take part yet is
// not given work.
func (p *Plan) Cancel(why string, now int64) *Plan {
	next := p.clone()
	next.Version++
	next.end(why, now)
	return next
}

// end ends the operation under way. A copy that it was making is given up: only an
// operation makes copies, so that between two of them every node that keeps a
// partition votes in it.
func (p *Plan) end(outcome string, now int64) {
	for i := range p.Partitions {
		p.Partitions[i].Learners = nil
	}
	o := p.Operation
	o.Outcome, o.Ended = outcome, now
	p.Last, p.Operation = o, nil
}

// apply makes the layout that of a step.
func (p *Plan) apply(s Step) {
	var part *Partition
	if s.Partition > 0 && int(s.Partition) <= len(p.Partitions) {
		part = &p.Partitions[s.Partition-1]
	}
	switch s.Kind {
	case Learn:
		part.Learners = append(part.Learners, s.Node)
	case Promote:
		part.Learners = without(part.Learners, s.Node)
		part.Replicas = slices.Insert(part.Replicas, min(s.Position, len(part.Replicas)), s.Node)
	case Drop:
		part.Replicas = without(part.Replicas, s.Node)
	case Lead:
		part.Replicas = append([]int{s.Node}, without(part.Replicas, s.Node)...)
	case Found:
		m, _ := p.Member(s.Node)
		p.Partitions = append(p.Partitions, Partition{Replicas: []int{s.Node}, Founder: m.Server})
	case Activate:
		p.Active = int(s.Partition)
	case Factor:
		p.ReplicationFactor = s.Position
	case Leave:
		p.leave(s.Node)
	}
}

func (p *Plan) leave(node int) {
	if m, ok := p.Member(node); ok {
		p.Gone = append(p.Gone, m.Server)
	}
	p.Members = slices.DeleteFunc(p.Members, func(m Member) bool { return m.Node == node })
}

func without(list []int, node int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(n int) bool { return n == node })
}

// Force takes lost nodes out of everything at once, and ends what is under way;
// nil: they are in nothing. Where no replica is left it fails.
func (p *Plan) Force(lost []int, now int64) (*Plan, error) {
	next := p.clone()
	next.Version++
	changed := false
	for i := range next.Partitions {
		part := &next.Partitions[i]
		for _, n := range lost {
			changed = changed || slices.Contains(part.Nodes(), n)
			part.Replicas, part.Learners = without(part.Replicas, n), without(part.Learners, n)
		}
		if len(part.Replicas) == 0 {
			return nil, fmt.Errorf("nothing of partition %d is left", i+1)
		}
	}
	for _, n := range lost {
		_, member := next.Member(n)
		changed = changed || member
		next.leave(n)
	}
	if !changed {
		return nil, nil
	}
	if next.Operation != nil {
		next.end(fmt.Sprintf("ended, as nodes %v were given up", lost), now)
	}
	next.Last = &Operation{
		ID: next.Version, Request: Request{What: ForceRemove, Nodes: lost}, Steps: []Step{}, Started: now, Ended: now, Outcome: Done,
	}
	return next, nil
}
