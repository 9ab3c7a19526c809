package feel

import (
	"strconv"
	"strings"
	"unicode"
)

// escape parses an escape outside of a class, after the backslash.
func (p *regexParser) escape() (*regexNode, error) {
	switch c := p.peek(); {
	case c >= '1' && c <= '9':
		n, _ := strconv.Atoi(string(c))
		p.pos++
		// More digits belong to it only if there are that many groups.
		for isDigit(p.peek()) && n*10+int(p.peek()-'0') <= p.groups {
			n = n*10 + int(p.peek()-'0')
			p.pos++
		}
		return &regexNode{kind: rxBackref, index: n, fold: p.fold}, nil
	case c == 'k':
		name, _, found := strings.Cut(strings.TrimPrefix(p.src[p.pos:], "k<"), ">")
		index, known := p.names[name]
		if !found || !known {
			return nil, errRegex
		}
		p.pos += len(name) + 3
		return &regexNode{kind: rxBackref, index: index, fold: p.fold}, nil
	case strings.IndexByte("bBAzZ", c) >= 0 && c != 0:
		p.pos++
		return &regexNode{kind: rxAssert, assert: c}, nil
	}
	set, _, err := p.setEscape()
	return &regexNode{kind: rxSet, set: set}, err
}

var classEscapes = map[byte]func(rune) bool{
	'd': func(r rune) bool { return r >= '0' && r <= '9' },
	'w': isWordChar,
	's': func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' },
	'h': func(r rune) bool { return r == ' ' || r == '\t' || r == '\u00a0' || unicode.Is(unicode.Zs, r) },
	'v': func(r rune) bool { return r >= '\n' && r <= '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029' },
}

func isWordChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

var charEscapes = map[byte]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1b}

// setEscape parses an escape that stands for characters; single is set if it
// is one, which may begin a range.
func (p *regexParser) setEscape() (set func(rune) bool, single *rune, err error) {
	if !p.more() {
		return nil, nil, errRegex
	}
	c := p.peek()
	if set, ok := classEscapes[c|0x20]; ok {
		p.pos++
		if c < 'a' {
			return func(r rune) bool { return !set(r) }, nil, nil
		}
		return set, nil, nil
	}
	r, ok := charEscapes[c]
	switch {
	case ok:
		p.pos++
	case c == 'p' || c == 'P':
		p.pos++
		set, err := p.property(c == 'P')
		return set, nil, err
	case c == 'x' || c == 'u':
		if r, err = p.hexEscape(c); err != nil {
			return nil, nil, err
		}
	case c == '0':
		p.pos++
		start := p.pos
		for p.pos < start+3 && p.peek() >= '0' && p.peek() <= '7' {
			r = r*8 + rune(p.peek()-'0')
			p.pos++
		}
		if p.pos == start {
			return nil, nil, errRegex
		}
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return nil, nil, errRegex
	default:
		r = p.next()
	}
	return p.folded(func(x rune) bool { return x == r }), &r, nil
}

// hexEscape parses \xhh, \x{h…} or \uhhhh from the letter on.
func (p *regexParser) hexEscape(c byte) (rune, error) {
	p.pos++
	digits := 2
	if c == 'u' {
		digits = 4
	}
	text := p.src[p.pos:min(p.pos+digits, len(p.src))]
	skip := digits
	if c == 'x' && p.peek() == '{' {
		body, _, found := strings.Cut(p.src[p.pos+1:], "}")
		if !found {
			return 0, errRegex
		}
		text, skip = body, len(body)+2
	} else if len(text) < digits {
		return 0, errRegex // cut off by the end of the pattern
	}
	v, err := strconv.ParseUint(text, 16, 32)
	if err != nil || v > unicode.MaxRune {
		return 0, errRegex
	}
	p.pos += skip
	return rune(v), nil
}

var posixClasses = map[string]func(rune) bool{
	"Lower": func(r rune) bool { return r >= 'a' && r <= 'z' },
	"Upper": func(r rune) bool { return r >= 'A' && r <= 'Z' },
	"ASCII": func(r rune) bool { return r < 0x80 },
	"Alpha": func(r rune) bool { return isWordChar(r) && r != '_' && (r < '0' || r > '9') },
	"Digit": classEscapes['d'],
	"Alnum": func(r rune) bool { return isWordChar(r) && r != '_' },
	"Punct": func(r rune) bool { return r > ' ' && r < 0x7f && (!isWordChar(r) || r == '_') },
	"Graph": func(r rune) bool { return r > ' ' && r < 0x7f },
	"Print": func(r rune) bool { return r >= ' ' && r < 0x7f },
	"Blank": func(r rune) bool { return r == ' ' || r == '\t' },
	"Cntrl": func(r rune) bool { return r < ' ' || r == 0x7f },
	"Space": classEscapes['s'],
	"XDigit": func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
	},
	"IsAlphabetic": unicode.IsLetter, "IsLetter": unicode.IsLetter, "IsDigit": unicode.IsDigit,
	"IsUppercase": unicode.IsUpper, "IsLowercase": unicode.IsLower, "IsPunctuation": unicode.IsPunct,
	"IsWhite_Space": unicode.IsSpace,
}

// property parses the name of a Unicode property or a POSIX class after \p.
func (p *regexParser) property(negative bool) (func(rune) bool, error) {
	var name string
	if p.accept("{") {
		body, _, found := strings.Cut(p.src[p.pos:], "}")
		if !found {
			return nil, errRegex
		}
		name = body
		p.pos += len(body) + 1
	} else if p.more() {
		name = string(p.next())
	}
	set, ok := posixClasses[name]
	if !ok {
		table := unicode.Categories[strings.TrimPrefix(name, "Is")]
		if table == nil {
			table = unicode.Scripts[strings.TrimPrefix(name, "Is")]
		}
		if table == nil {
			return nil, errRegex
		}
		set = func(r rune) bool { return unicode.Is(table, r) }
	}
	if negative {
		return func(r rune) bool { return !set(r) }, nil
	}
	return p.folded(set), nil
}

// class parses a character class after its opening bracket: a union of
// characters, ranges, escapes and classes, cut with what follows an &&.
func (p *regexParser) class() (func(rune) bool, error) {
	if p.depth++; p.depth > maxRegexDepth {
		return nil, errRegex
	}
	negative := p.accept("^")
	var sets []func(rune) bool
	var cut func(rune) bool
	for first := true; ; first = false {
		if !p.more() {
			return nil, errRegex
		}
		if p.peek() == ']' && !first {
			p.pos++
			break
		}
		if p.accept("&&") {
			right, err := p.classRest()
			if err != nil {
				return nil, err
			}
			cut = right
			break
		}
		set, err := p.classItem()
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	p.depth--
	in := func(r rune) bool {
		for _, s := range sets {
			if s(r) {
				return cut == nil || cut(r)
			}
		}
		return false
	}
	if negative {
		return func(r rune) bool { return !in(r) }, nil
	}
	return in, nil
}

// classRest parses what follows an && up to the end of the class.
func (p *regexParser) classRest() (func(rune) bool, error) {
	negative := p.peek() == '^'
	if negative {
		// A ^ here is a character, not a negation of what is left.
		p.pos++
		inner, err := p.class()
		return func(r rune) bool { return r == '^' || inner(r) }, err
	}
	return p.class()
}

func (p *regexParser) classItem() (func(rune) bool, error) {
	p.items++
	if p.accept("[") {
		return p.class()
	}
	low, set, err := p.classChar()
	if err != nil || low == nil {
		return set, err
	}
	if p.peek() != '-' || p.pos+1 >= len(p.src) || p.src[p.pos+1] == ']' || p.src[p.pos+1] == '[' {
		return set, nil
	}
	p.pos++
	high, _, err := p.classChar()
	if err != nil {
		return nil, err
	}
	if high == nil || *high < *low {
		return nil, errRegex
	}
	return p.folded(func(r rune) bool { return r >= *low && r <= *high }), nil
}

// classChar parses a character, or an escape for several (then low is nil).
func (p *regexParser) classChar() (low *rune, set func(rune) bool, err error) {
	if !p.more() {
		return nil, nil, errRegex
	}
	if p.accept(`\`) {
		set, low, err = p.setEscape()
		return low, set, err
	}
	r := p.next()
	return &r, p.folded(func(x rune) bool { return x == r }), nil
}
