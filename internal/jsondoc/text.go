package jsondoc

import (
	"encoding/binary"
	"encoding/hex"
	"unicode/utf16"
	"unicode/utf8"
)

// text appends the text that comes next, in double quotes.
func (s *scanner) text(out []byte) []byte {
	quote := s.doc[s.pos]
	if quote == '\'' {
		s.odd = true
	}
	s.pos++
	out = append(out, '"')
	from := s.pos // what is not yet in out
	for s.pos < len(s.doc) {
		switch c := s.doc[s.pos]; {
		case c == quote:
			text := s.doc[from:s.pos]
			s.pos++
			if !utf8.Valid(text) {
				s.refuse("text that is not UTF-8")
			}
			return append(append(out, text...), '"')
		case c == '"': // in single quotes
			out = append(append(out, s.doc[from:s.pos]...), '\\')
			from = s.pos
			s.pos++
		case c < ' ':
			s.failAt(s.pos)
			return out
		case c == '\\':
			n, instead := s.escape()
			if instead != 0 {
				out = append(append(out, s.doc[from:s.pos]...), instead)
				from = s.pos + n
				s.odd = true
			}
			s.pos += n
		default:
			s.pos++
		}
	}
	s.failAt(len(s.doc))
	return out
}

// escape returns how long the escape that comes next is, and the character that
// must stand for it if it is none of JSON's.
func (s *scanner) escape() (n int, instead byte) {
	at := s.pos + 1
	if at >= len(s.doc) {
		s.failAt(at)
		return 0, 0
	}
	switch s.doc[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, 0
	case '\'':
		return 2, '\''
	case 'u':
		return s.unicode(at)
	}
	s.failAt(at)
	return 0, 0
}

// unicode is escape for \u, whose u stands at a position. Half of a surrogate
// pair is no character; the original's answers have a question mark for it.
func (s *scanner) unicode(at int) (n int, instead byte) {
	for i := at + 1; i <= at+4; i++ {
		if i >= len(s.doc) || !isHex(s.doc[i]) {
			s.failAt(min(i, len(s.doc)))
			return 0, 0
		}
	}
	r := hexRune(s.doc[at+1:])
	if !utf16.IsSurrogate(r) {
		return 6, 0
	}
	rest := s.doc[at+5:]
	if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' && utf16.DecodeRune(r, hexRune(rest[2:])) != utf8.RuneError {
		return 12, 0
	}
	return 6, '?'
}

// hexRune is the number of the next four hexadecimal digits, 0 if they are none.
func hexRune(b []byte) rune {
	var n [2]byte
	if _, err := hex.Decode(n[:], b[:4]); err != nil {
		return 0
	}
	return rune(binary.BigEndian.Uint16(n[:]))
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
