package feel

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The regular expressions are those of java.util.regex, as in the original:
// with look-around, back references and possessive quantifiers, which the
// standard library does not have. They are compiled to a small machine that
// backtracks and pays for each step.

type regexKind uint8

const (
	rxEmpty regexKind = iota
	rxSet             // one character
	rxConcat
	rxAlternate
	rxRepeat
	rxGroup // a capturing group
	rxAssert
	rxBackref
	rxLook
	rxAtomic
)

type regexNode struct {
	kind     regexKind
	set      func(rune) bool
	items    int // of the set, which are looked at one after the other
	subs     []*regexNode
	min, max int // of rxRepeat; max -1 is without end
	lazy     bool
	index    int // of a group or back reference
	assert   byte
	behind   bool
	negative bool
	multi    bool // ^ and $ match at lines
	fold     bool
}

type regexParser struct {
	src                       string
	pos, depth, groups, items int
	names                     map[string]int
	fold, multi, dotAll, ext  bool
}

const (
	maxRegexDepth = 200
	maxRegexSize  = 20000 // nodes after repetitions are written out
)

var errRegex = errors.New("parse regular expression: not one of java.util.regex")

func (p *regexParser) more() bool { return p.pos < len(p.src) }

func (p *regexParser) peek() byte {
	if p.more() {
		return p.src[p.pos]
	}
	return 0
}

func (p *regexParser) accept(s string) bool {
	if strings.HasPrefix(p.src[p.pos:], s) {
		p.pos += len(s)
		return true
	}
	return false
}

func (p *regexParser) next() rune {
	r, n := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += n
	return r
}

func (p *regexParser) alternation() (*regexNode, error) {
	if p.depth++; p.depth > maxRegexDepth {
		return nil, errRegex
	}
	fold, multi, dotAll, ext := p.fold, p.multi, p.dotAll, p.ext
	alt := &regexNode{kind: rxAlternate}
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		alt.subs = append(alt.subs, n)
		if !p.accept("|") {
			break
		}
	}
	p.depth--
	p.fold, p.multi, p.dotAll, p.ext = fold, multi, dotAll, ext
	if len(alt.subs) == 1 {
		return alt.subs[0], nil
	}
	return alt, nil
}

func (p *regexParser) sequence() (*regexNode, error) {
	seq := &regexNode{kind: rxConcat}
	for {
		p.skipExtended()
		if !p.more() || p.peek() == '|' || p.peek() == ')' {
			return seq, nil
		}
		if p.accept(`\Q`) {
			p.quoted(seq)
			continue
		}
		atom, err := p.atom()
		if err != nil {
			return nil, err
		}
		if atom, err = p.quantified(atom); err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, atom)
	}
}

// skipExtended skips white space and comments under the flag x.
func (p *regexParser) skipExtended() {
	for p.ext && p.more() {
		switch c := p.peek(); {
		case c == ' ' || c >= '\t' && c <= '\r':
			p.pos++
		case c == '#':
			for p.more() && p.peek() != '\n' {
				p.pos++
			}
		default:
			return
		}
	}
}

func (p *regexParser) quoted(seq *regexNode) {
	text, _, found := strings.Cut(p.src[p.pos:], `\E`)
	p.pos += len(text)
	if found {
		p.pos += 2
	}
	for _, r := range text {
		seq.subs = append(seq.subs, p.char(r))
	}
}

func (p *regexParser) quantified(atom *regexNode) (*regexNode, error) {
	p.skipExtended()
	n := &regexNode{kind: rxRepeat, subs: []*regexNode{atom}, max: -1}
	switch {
	case p.accept("*"):
	case p.accept("+"):
		n.min = 1
	case p.accept("?"):
		n.max = 1
	case p.accept("{"):
		if err := p.bounds(n); err != nil {
			return nil, err
		}
	default:
		return atom, nil
	}
	if p.accept("?") {
		n.lazy = true
	} else if p.accept("+") {
		return &regexNode{kind: rxAtomic, subs: []*regexNode{n}}, nil
	}
	return n, nil
}

func (p *regexParser) bounds(n *regexNode) error {
	body, _, found := strings.Cut(p.src[p.pos:], "}")
	if !found {
		return errRegex
	}
	p.pos += len(body) + 1
	low, high, hasHigh := strings.Cut(body, ",")
	lo, err := strconv.ParseUint(low, 10, 16)
	if err != nil {
		return errRegex
	}
	n.min, n.max = int(lo), int(lo)
	if !hasHigh {
		return nil
	}
	if n.max = -1; high != "" {
		hi, err := strconv.ParseUint(high, 10, 16)
		if err != nil || hi < lo {
			return errRegex
		}
		n.max = int(hi)
	}
	return nil
}

func (p *regexParser) atom() (*regexNode, error) {
	switch c := p.peek(); c {
	case '(':
		p.pos++
		return p.group()
	case '[':
		p.pos++
		items := p.items
		set, err := p.class()
		return &regexNode{kind: rxSet, set: set, items: p.items - items}, err
	case '.':
		p.pos++
		if p.dotAll {
			return &regexNode{kind: rxSet, set: func(rune) bool { return true }}, nil
		}
		return &regexNode{kind: rxSet, set: func(r rune) bool { return !isLineEnd(r) }}, nil
	case '^', '$':
		p.pos++
		return &regexNode{kind: rxAssert, assert: c, multi: p.multi}, nil
	case '\\':
		p.pos++
		return p.escape()
	case '*', '+', '?', '{':
		return nil, errRegex
	}
	return p.char(p.next()), nil
}

func isLineEnd(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

func (p *regexParser) char(r rune) *regexNode {
	return &regexNode{kind: rxSet, set: p.folded(func(x rune) bool { return x == r })}
}

// folded makes a set that does not mind upper and lower case, under the flag i.
func (p *regexParser) folded(set func(rune) bool) func(rune) bool {
	if !p.fold {
		return set
	}
	return func(r rune) bool {
		return set(r) || set(unicode.ToLower(r)) || set(unicode.ToUpper(r))
	}
}

// group parses a group after its opening parenthesis.
func (p *regexParser) group() (*regexNode, error) {
	n := &regexNode{kind: rxGroup}
	fold, multi, dotAll, ext := p.fold, p.multi, p.dotAll, p.ext
	switch {
	case !p.accept("?"):
		p.groups++
		n.index = p.groups
	case p.accept(":"):
		n.kind = rxConcat
	case p.accept(">"):
		n.kind = rxAtomic
	case p.accept("="), p.accept("!"):
		n.kind, n.negative = rxLook, p.src[p.pos-1] == '!'
	case p.accept("<="), p.accept("<!"):
		n.kind, n.behind, n.negative = rxLook, true, p.src[p.pos-1] == '!'
	case p.accept("<"):
		if err := p.named(n); err != nil {
			return nil, err
		}
	default:
		inline, err := p.flags()
		if err != nil || inline {
			return &regexNode{}, err
		}
		n.kind = rxConcat
	}
	body, err := p.alternation()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, errRegex
	}
	p.fold, p.multi, p.dotAll, p.ext = fold, multi, dotAll, ext
	n.subs = []*regexNode{body}
	return n, nil
}

func (p *regexParser) named(n *regexNode) error {
	name, _, found := strings.Cut(p.src[p.pos:], ">")
	if _, taken := p.names[name]; !found || name == "" || taken {
		return errRegex
	}
	p.pos += len(name) + 1
	p.groups++
	n.index = p.groups
	p.names[name] = n.index
	return nil
}

// flags parses (?i) and the beginning of (?i:…); inline says which.
func (p *regexParser) flags() (inline bool, err error) {
	on := true
	for p.more() {
		switch p.next() {
		case '-':
			on = false
		case 'i':
			p.fold = on
		case 'm':
			p.multi = on
		case 's':
			p.dotAll = on
		case 'x':
			p.ext = on
		case 'u', 'U', 'd':
		case ')':
			return true, nil
		case ':':
			return false, nil
		default:
			return false, errRegex
		}
	}
	return false, errRegex
}
