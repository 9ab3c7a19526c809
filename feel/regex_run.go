package feel

import (
	"strings"
	"sync"
	"unicode/utf8"
)

type regexOp uint8

const (
	opSet   regexOp = iota
	opSplit         // try x, then y
	opJump
	opSave // note the position in slot x
	opAssert
	opBackref
	opSub   // run the part at x on its own, then go on at y
	opCheck // fail if nothing was consumed since slot x was saved
	opDone
)

type regexInst struct {
	op   regexOp
	x, y int
	node *regexNode
}

// regex is a compiled regular expression, safe for concurrent use.
type regex struct {
	prog  []regexInst
	slots int // positions kept: two for each group, one for each loop
	names map[string]int
	// groups is the number of capturing groups.
	groups int
}

var (
	regexCacheLock sync.Mutex
	regexCache     = map[string]*regex{} // by flags and pattern; nil is one that is wrong
)

const (
	maxRegexCache  = 256
	maxRegexSource = 10000
	maxRegexStack  = 1 << 20
)

// compileRegex gives the compiled pattern; the flags are those of i, m, s and
// x that the text holds.
func compileRegex(pattern, flags string) (*regex, bool) {
	key := flags + "/" + pattern
	regexCacheLock.Lock()
	defer regexCacheLock.Unlock()
	r, known := regexCache[key]
	if !known {
		if r = newRegex(pattern, flags); len(regexCache) >= maxRegexCache {
			clear(regexCache)
		}
		regexCache[key] = r
	}
	return r, r != nil
}

func newRegex(pattern, flags string) *regex {
	if len(pattern) > maxRegexSource || !utf8.ValidString(pattern) {
		return nil
	}
	p := regexParser{
		src: pattern, names: map[string]int{}, fold: strings.Contains(flags, "i"),
		multi: strings.Contains(flags, "m"), dotAll: strings.Contains(flags, "s"), ext: strings.Contains(flags, "x"),
	}
	n, err := p.alternation()
	if err != nil || p.more() {
		return nil
	}
	r := &regex{names: p.names, groups: p.groups, slots: 2 * (p.groups + 1)}
	if !r.emit(n) {
		return nil
	}
	r.add(opDone, 0, 0, nil)
	return r
}

func (r *regex) add(op regexOp, x, y int, n *regexNode) int {
	r.prog = append(r.prog, regexInst{op, x, y, n})
	return len(r.prog) - 1
}

// emit writes the instructions of a node; it says no if there are too many.
func (r *regex) emit(n *regexNode) bool {
	if len(r.prog) > maxRegexSize {
		return false
	}
	switch n.kind {
	case rxSet:
		r.add(opSet, 0, 0, n)
	case rxAssert:
		r.add(opAssert, 0, 0, n)
	case rxBackref:
		if n.index > r.groups {
			// A group that is not there never matches, as in the original.
			n = &regexNode{kind: rxSet, set: func(rune) bool { return false }}
			r.add(opSet, 0, 0, n)
			break
		}
		r.add(opBackref, 0, 0, n)
	case rxConcat:
		return r.emitAll(n.subs)
	case rxGroup:
		r.add(opSave, 2*n.index, 0, nil)
		ok := r.emitAll(n.subs)
		r.add(opSave, 2*n.index+1, 0, nil)
		return ok
	case rxAlternate:
		return r.emitAlternatives(n.subs)
	case rxRepeat:
		return r.emitRepeat(n)
	case rxLook, rxAtomic:
		at := r.add(opSub, len(r.prog)+1, 0, n)
		ok := r.emitAll(n.subs)
		r.add(opDone, 0, 0, nil)
		r.prog[at].y = len(r.prog)
		return ok
	}
	return true
}

func (r *regex) emitAll(subs []*regexNode) bool {
	for _, s := range subs {
		if !r.emit(s) {
			return false
		}
	}
	return true
}

func (r *regex) emitAlternatives(subs []*regexNode) bool {
	var jumps []int
	for i, s := range subs {
		split := -1
		if i < len(subs)-1 {
			split = r.add(opSplit, len(r.prog)+1, 0, nil)
		}
		if !r.emit(s) {
			return false
		}
		if split >= 0 {
			jumps = append(jumps, r.add(opJump, 0, 0, nil))
			r.prog[split].y = len(r.prog)
		}
	}
	for _, j := range jumps {
		r.prog[j].x = len(r.prog)
	}
	return true
}

// emitRepeat writes the least number of repetitions out, and then a loop or as
// many optional ones as there may be more.
func (r *regex) emitRepeat(n *regexNode) bool {
	for range n.min {
		if !r.emit(n.subs[0]) {
			return false
		}
	}
	if n.max < 0 {
		return r.emitLoop(n)
	}
	var splits []int
	for range n.max - n.min {
		splits = append(splits, r.add(opSplit, 0, 0, nil))
		if !r.emit(n.subs[0]) {
			return false
		}
	}
	for _, s := range splits {
		r.branch(s, n.lazy)
	}
	return true
}

func (r *regex) emitLoop(n *regexNode) bool {
	split := r.add(opSplit, 0, 0, nil)
	mayBeEmpty := n.subs[0].kind != rxSet
	slot := r.slots
	if mayBeEmpty {
		r.slots++
		r.add(opSave, slot, 0, nil)
	}
	ok := r.emit(n.subs[0])
	if mayBeEmpty {
		r.add(opCheck, slot, 0, nil)
	}
	r.add(opJump, split, 0, nil)
	r.branch(split, n.lazy)
	return ok
}

// branch lets the split at go on after itself or at the end written so far.
func (r *regex) branch(at int, lazy bool) {
	in, out := at+1, len(r.prog)
	if lazy {
		in, out = out, in
	}
	r.prog[at].x, r.prog[at].y = in, out
}

// choice is something to come back to: go on at pc and pos, or, if pc is
// negative, restore a slot first.
type choice struct{ pc, pos, slot int }

type regexRun struct {
	c     *evaluation
	r     *regex
	in    string
	slots []int
	stack []choice
}

// find gives the positions of the first match that starts at from or later:
// start and end of the match and of each group, -1 for a group without any.
func (r *regex) find(c *evaluation, in string, from int) []int {
	c.spend(r.slots / bytesPerStep)
	m := regexRun{c: c, r: r, in: in, slots: make([]int, r.slots)}
	for start := from; start <= len(in); start++ {
		if start < len(in) && !utf8.RuneStart(in[start]) {
			continue
		}
		c.spend(len(m.slots) / bytesPerStep)
		for i := range m.slots {
			m.slots[i] = -1
		}
		if end := m.run(0, start, -1); end >= 0 {
			m.slots[0], m.slots[1] = start, end
			return m.slots[:2*(r.groups+1)]
		}
	}
	return nil
}

// run matches from pc at pos and gives the end, -1 if there is none. If must
// is not negative the match has to end there.
func (m *regexRun) run(pc, pos, must int) int {
	base := len(m.stack)
	for steps := 1; ; steps++ {
		if steps%4 == 0 {
			m.c.spend(1)
		}
		if len(m.stack) > maxRegexStack {
			m.c.exceed("a regular expression has too many ways to match")
		}
		ok := true
		switch i := &m.r.prog[pc]; i.op {
		case opSet:
			if i.node.items > 8 {
				m.c.spend(i.node.items / 8)
			}
			ch, n := utf8.DecodeRuneInString(m.in[pos:])
			if ok = n > 0 && i.node.set(ch); ok {
				pos, pc = pos+n, pc+1
			}
		case opSplit:
			m.stack = append(m.stack, choice{i.y, pos, -1})
			pc = i.x
		case opJump:
			pc = i.x
		case opSave:
			m.stack = append(m.stack, choice{-1, m.slots[i.x], i.x})
			m.slots[i.x] = pos
			pc++
		case opAssert:
			ok = m.holds(i.node, pos)
			pc++
		case opBackref:
			pos, ok = m.backref(i.node, pos)
			pc++
		case opCheck:
			ok = m.slots[i.x] != pos
			pc++
		case opSub:
			pos, ok = m.sub(i, pos)
			pc = i.y
		case opDone:
			if ok = must < 0 || pos == must; ok {
				m.stack = m.keepRestores(base)
				return pos
			}
		}
		if !ok {
			if pc, pos = m.back(base); pc < 0 {
				return -1
			}
		}
	}
}

// back undoes up to the last choice since base.
func (m *regexRun) back(base int) (pc, pos int) {
	for len(m.stack) > base {
		ch := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if ch.pc >= 0 {
			return ch.pc, ch.pos
		}
		m.slots[ch.slot] = ch.pos
	}
	return -1, 0
}

// keepRestores drops the choices since base, but not what an outer choice has
// to undo.
func (m *regexRun) keepRestores(base int) []choice {
	kept := m.stack[:base]
	for _, ch := range m.stack[base:] {
		if ch.pc < 0 {
			kept = append(kept, ch)
		}
	}
	return kept
}

// sub runs an atomic group or a look-around at pos.
func (m *regexRun) sub(i *regexInst, pos int) (int, bool) {
	n := i.node
	if n.kind == rxAtomic {
		end := m.run(i.x, pos, -1)
		return max(end, 0), end >= 0
	}
	found := false
	if !n.behind {
		found = m.run(i.x, pos, -1) >= 0
	} else {
		for start := pos; start >= 0 && !found; start-- {
			m.c.spend(1)
			if start == len(m.in) || utf8.RuneStart(m.in[start]) {
				found = m.run(i.x, start, pos) >= 0
			}
		}
	}
	return pos, found != n.negative
}

func (m *regexRun) backref(n *regexNode, pos int) (int, bool) {
	a, b := m.slots[2*n.index], m.slots[2*n.index+1]
	if a < 0 || b < a {
		return pos, false
	}
	text := m.in[a:b]
	m.c.spend(len(text) / bytesPerStep)
	if end := pos + len(text); end <= len(m.in) &&
		(m.in[pos:end] == text || n.fold && strings.EqualFold(m.in[pos:end], text)) {
		return end, true
	}
	return pos, false
}

// holds says whether an assertion without width holds at pos.
func (m *regexRun) holds(n *regexNode, pos int) bool {
	before, _ := utf8.DecodeLastRuneInString(m.in[:pos])
	after, _ := utf8.DecodeRuneInString(m.in[pos:])
	switch n.assert {
	case '^':
		return pos == 0 || n.multi && isLineEnd(before) && pos < len(m.in)
	case 'A':
		return pos == 0
	case 'z':
		return pos == len(m.in)
	case '$', 'Z':
		rest := m.in[pos:]
		return rest == "" || rest == "\n" || rest == "\r\n" || n.multi && isLineEnd(after)
	}
	atWord := pos > 0 && isWordChar(before) != (pos < len(m.in) && isWordChar(after)) ||
		pos == 0 && pos < len(m.in) && isWordChar(after)
	return atWord == (n.assert == 'b')
}
