package jsondoc

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// number appends the number that comes next.
func (s *scanner) number(out []byte) []byte {
	start := s.pos
	if s.doc[s.pos] == '-' {
		if s.pos++; !s.digit() {
			s.pos--
			s.noValue()
			return out
		}
	}
	if s.doc[s.pos] == '0' {
		if s.pos++; s.digit() {
			s.failAt(s.pos)
			return out
		}
	}
	s.digits()
	if s.next('.') {
		if s.pos == len(s.doc) {
			s.failAt(s.pos - 1)
		} else if !s.digits() {
			s.failAt(s.pos)
		}
	}
	if s.next('e') || s.next('E') {
		if !s.next('+') {
			s.next('-')
		}
		if !s.digits() {
			s.failAt(s.pos)
		}
	}
	text := s.doc[min(start, s.pos):s.pos]
	if string(text) == "-0" { // whole numbers have one zero
		s.odd = true
		text = text[1:]
	}
	return append(out, text...)
}

func (s *scanner) digit() bool {
	return s.pos < len(s.doc) && s.doc[s.pos] >= '0' && s.doc[s.pos] <= '9'
}

// digits passes over digits and tells whether there were any.
func (s *scanner) digits() bool {
	start := s.pos
	for s.digit() {
		s.pos++
	}
	return s.pos > start
}

// next passes over c if it comes next.
func (s *scanner) next(c byte) bool {
	if s.pos < len(s.doc) && s.doc[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// unnumbers are words that stand for numbers elsewhere.
var unnumbers = []string{"NaN", "Infinity", "-Infinity", "-INF", "+Infinity", "+INF"}

// noValue ends the scan where a value should come, and says where as the
// original's reader does: a word is read with the character after it.
func (s *scanner) noValue() {
	rest := s.doc[s.pos:]
	for _, w := range unnumbers {
		if bytes.HasPrefix(rest, []byte(w)) && identifier(rest[len(w):]) == 0 {
			s.failAt(s.pos + len(w))
		}
	}
	switch n := identifier(rest); {
	case len(rest) == 0:
		s.failAt(s.pos)
	case rest[0] == '+' || rest[0] == '-':
		s.failAt(s.pos + 1)
	case rest[0] >= utf8.RuneSelf && rest[0] != 0xD7: // its first byte is taken for a letter
		s.failAt(s.pos + 2)
	case n == len(rest) && n > 0:
		s.failAt(s.pos + n)
	case n > 0 && !(rest[0] >= '0' && rest[0] <= '9'):
		s.fail(s.pos+n, runeLen(rest[n:]), "")
	}
	s.unexpected()
}

// identifier is the length of what is an identifier in Java, were it to start
// with any of its characters.
func identifier(b []byte) int {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !unicode.In(r, unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Cf) || r == utf8.RuneError {
			break
		}
		n += size
	}
	return n
}
