package enginetest

import (
	"fmt"
	"strconv"
	"strings"
)

// A model in short form has one chain per line:
//
//	start s -> service t type=work retries=3 h.color=red in.x='= y' out.z='= x' -> xor g
//	g -> ?'z > 1' end big
//	g -> ?default end small
//	sub p in.a='= 1' {
//	  start ps -> end pe
//	}
//	@3: f -> service t# type=work -> end e#
//
//	boundary b on=t timer=PT1S noninterrupting -> end late
//
// A node is given with its kind once; later its id is enough. A quoted text
// may hold blanks. What stands behind `@N:` is repeated N times, with # for the
// number, from 1. A line that begins with `process ID {` opens another process;
// without one, all is in one process.
type node struct {
	kind, id string
	attrs    []attr
	body     *body // of a sub-process or process
	dflt     string
}

type attr struct{ name, value string }

type flow struct{ from, to, condition string }

// body is what stands directly in a process or sub-process.
type body struct {
	nodes []*node
	flows []flow
}

type formParser struct {
	lines []string
	err   error
}

// parseForm reads a text in short form. id is the process's if the text opens none.
func parseForm(id, text string) ([]*node, error) {
	p := &formParser{lines: expandRepeats(text)}
	if !strings.Contains(text, "process ") {
		root := &node{kind: "process", id: id, body: p.body(false)}
		return []*node{root}, p.err
	}
	var list []*node
	for p.err == nil {
		toks := p.next()
		if toks == nil {
			break
		}
		if len(toks) < 3 || toks[0] != "process" || toks[len(toks)-1] != "{" {
			return nil, fmt.Errorf("expected a process, but got %q", strings.Join(toks, " "))
		}
		n := p.node(toks[:len(toks)-1])
		n.body = p.body(true)
		list = append(list, n)
	}
	return list, p.err
}

func expandRepeats(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "@")
		count, repeated, found := strings.Cut(rest, ":")
		n, err := strconv.Atoi(count)
		if !ok || !found || err != nil {
			lines = append(lines, line)
			continue
		}
		for i := range n {
			lines = append(lines, strings.ReplaceAll(repeated, "#", strconv.Itoa(i+1)))
		}
	}
	return lines
}

func (p *formParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// next returns the tokens of the next line that has some.
func (p *formParser) next() []string {
	for len(p.lines) > 0 {
		toks := tokens(p.lines[0])
		p.lines = p.lines[1:]
		if len(toks) > 0 {
			return toks
		}
	}
	return nil
}

// tokens splits at blanks that do not stand in quotes, and takes the quotes off.
func tokens(line string) (toks []string) {
	var b strings.Builder
	quoted, any := false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any {
				toks = append(toks, b.String())
			}
			b.Reset()
			any = false
		default:
			b.WriteRune(r)
			any = true
		}
	}
	return toks
}

// body reads chains up to the closing brace, or to the end.
func (p *formParser) body(braced bool) *body {
	b := &body{}
	for {
		toks := p.next()
		switch {
		case toks == nil:
			if braced {
				p.fail("a brace is not closed")
			}
			return b
		case toks[0] == "}":
			if !braced {
				p.fail("a brace too many")
			}
			return b
		}
		p.chain(b, toks)
	}
}

func (p *formParser) chain(b *body, toks []string) {
	open := toks[len(toks)-1] == "{"
	if open {
		toks = toks[:len(toks)-1]
	}
	from, last := "", (*node)(nil)
	for _, part := range split(toks, "->") {
		condition := ""
		if len(part) > 1 && strings.HasPrefix(part[0], "?") {
			condition, part = part[0][1:], part[1:]
		}
		if len(part) == 0 {
			p.fail("an arrow to nowhere")
			return
		}
		last = p.place(b, part)
		if from != "" {
			p.connect(b, from, last.id, condition)
		}
		from = last.id
	}
	if open {
		last.body = p.body(true)
	}
}

func (p *formParser) connect(b *body, from, to, condition string) {
	if condition == "default" {
		b.find(from).dflt = from + "_" + to
		condition = ""
	}
	b.flows = append(b.flows, flow{from, to, condition})
}

// place finds a node by its id, or makes it.
func (p *formParser) place(b *body, part []string) *node {
	if len(part) == 1 {
		if n := b.find(part[0]); n != nil {
			return n
		}
		p.fail("there is no node %q yet", part[0])
		return &node{id: part[0]}
	}
	n := p.node(part)
	b.nodes = append(b.nodes, n)
	return n
}

func (p *formParser) node(part []string) *node {
	n := &node{kind: part[0], id: part[1]}
	for _, a := range part[2:] {
		name, value, ok := strings.Cut(a, "=")
		if !ok && !bare[name] {
			p.fail("expected name=value, but got %q", a)
		}
		n.attrs = append(n.attrs, attr{name, value})
	}
	return n
}

func (b *body) find(id string) *node {
	for _, n := range b.nodes {
		if n.id == id {
			return n
		}
	}
	return nil
}

func split(toks []string, at string) (parts [][]string) {
	start := 0
	for i, t := range append(toks, at) {
		if t == at {
			parts = append(parts, toks[start:i])
			start = i + 1
		}
	}
	return parts
}
