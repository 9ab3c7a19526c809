package bpmn

import "strings"

// checkLoops refuses a process with a loop in which nothing ever waits: an
// instance of it would go round for ever inside one step. As in the original
// such a loop is one of tasks without work and gateways, with at least one task.
func (b *builder) checkLoops(p *Process, at *node) {
	g := &loopFinder{low: make([]int, len(p.Elements)), number: make([]int, len(p.Elements)), in: make([]bool, len(p.Elements))}
	for _, e := range p.Elements {
		if passes(e) && g.number[e.Index] == 0 {
			g.visit(e)
		}
	}
	if g.loop != nil {
		b.wrong.add(at, "Processes are not allowed to contain any straight-through processing loops: %s", strings.Join(g.loop, " > "))
	}
}

// passes says whether an element goes on at once.
func passes(e *Element) bool {
	return idle(e) || e.Type == ExclusiveGateway || e.Type == ParallelGateway || e.Type == InclusiveGateway
}

func idle(e *Element) bool { return e.Type == ManualTask || e.Type == Task }

// loopFinder finds the strongly connected parts among the elements that pass
// (Tarjan 1972), with a stack of its own instead of recursion.
type loopFinder struct {
	number, low []int // by Index; 0 is not yet seen
	in          []bool
	stack       []*Element
	count       int
	loop        []string
}

type loopStep struct {
	e    *Element
	next int
}

func (g *loopFinder) visit(root *Element) {
	steps := []loopStep{g.enter(root)}
	for len(steps) > 0 {
		s := &steps[len(steps)-1]
		i := s.e.Index
		if s.next == len(s.e.Outgoing) {
			if g.low[i] == g.number[i] {
				g.part(s.e)
			}
			steps = steps[:len(steps)-1]
			if len(steps) > 0 {
				up := steps[len(steps)-1].e.Index
				g.low[up] = min(g.low[up], g.low[i])
			}
			continue
		}
		to := s.e.Outgoing[s.next].Target
		s.next++
		switch {
		case !passes(to):
		case g.number[to.Index] == 0:
			steps = append(steps, g.enter(to))
		case g.in[to.Index]:
			g.low[i] = min(g.low[i], g.number[to.Index])
		}
	}
}

func (g *loopFinder) enter(e *Element) loopStep {
	g.count++
	g.number[e.Index], g.low[e.Index], g.in[e.Index] = g.count, g.count, true
	g.stack = append(g.stack, e)
	return loopStep{e: e}
}

// part takes one part off the stack; a part with a task that lies on a loop is
// what is looked for.
func (g *loopFinder) part(root *Element) {
	n := len(g.stack) - 1
	for g.stack[n] != root {
		n--
	}
	members := map[*Element]bool{}
	for _, e := range g.stack[n:] {
		g.in[e.Index] = false
		members[e] = true
	}
	if g.loop == nil {
		for _, e := range g.stack[n:] {
			if idle(e) {
				g.loop = around(e, members)
				break
			}
		}
	}
	g.stack = g.stack[:n]
}

// around gives the ids on a shortest way from the element back to it, nil if
// there is none.
func around(from *Element, members map[*Element]bool) []string {
	before := map[*Element]*Element{}
	for queue := []*Element{from}; len(queue) > 0; queue = queue[1:] {
		for _, f := range queue[0].Outgoing {
			if f.Target == from {
				ids := []string{from.ID}
				for e := queue[0]; e != from; e = before[e] {
					ids = append(ids, e.ID)
				}
				ids = append(ids, from.ID)
				for i, j := 0, len(ids)-1; i < j; i, j = i+1, j-1 {
					ids[i], ids[j] = ids[j], ids[i]
				}
				return ids
			}
			if members[f.Target] && before[f.Target] == nil {
				before[f.Target] = queue[0]
				queue = append(queue, f.Target)
			}
		}
	}
	return nil
}
