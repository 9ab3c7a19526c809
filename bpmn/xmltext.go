package bpmn

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads character data up to the next markup that is no CDATA section.
func (s *scanner) text() (string, error) {
	var out strings.Builder
	for {
		part, more, err := s.textPart()
		if err != nil {
			return "", err
		}
		if !more && out.Len() == 0 {
			return part, nil
		}
		out.WriteString(part)
		if !more {
			return out.String(), nil
		}
	}
}

const cdata = "<![CDATA["

// textPart reads a run of character data or one CDATA section; more says that
// another part follows.
func (s *scanner) textPart() (part string, more bool, err error) {
	const end = "]]>"
	if strings.HasPrefix(s.rest(), cdata) {
		s.pos += len(cdata)
		from := s.pos
		if err = s.skipTo(end, "CDATA section"); err != nil {
			return "", false, err
		}
		part, next := s.src[from:s.pos-len(end)], s.rest()
		return lineEnds(part), next != "" && (next[0] != '<' || strings.HasPrefix(next, cdata)), nil
	}
	n := strings.IndexByte(s.rest(), '<')
	if n < 0 {
		n = len(s.rest())
	}
	part = s.src[s.pos : s.pos+n]
	if strings.Contains(part, end) {
		return "", false, s.fatal(`The character sequence "]]>" must not appear in content unless used to mark the end of a CDATA section.`)
	}
	if err = s.checkChars(part, "element content of the document"); err != nil {
		return "", false, err
	}
	if strings.ContainsAny(part, "&\r") {
		if part, err = s.expand(part, false); err != nil {
			return "", false, err
		}
	}
	s.pos += n
	return part, strings.HasPrefix(s.rest(), cdata), nil
}

// lineEnds is the normalisation of XML 1.0, 2.11.
func lineEnds(t string) string {
	if !strings.Contains(t, "\r") {
		return t
	}
	return strings.ReplaceAll(strings.ReplaceAll(t, "\r\n", "\n"), "\r", "\n")
}

// expand replaces references; in an attribute white space becomes blanks.
func (s *scanner) expand(raw string, attribute bool) (string, error) {
	raw = lineEnds(raw)
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case attribute && isSpace(c):
			out.WriteByte(' ')
		case c != '&':
			out.WriteByte(c)
		default:
			r, n, err := s.reference(raw[i:])
			if err != nil {
				return "", err
			}
			out.WriteRune(r)
			i += n - 1
		}
	}
	return out.String(), nil
}

var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// reference reads the reference that t starts with, and says how long it is.
func (s *scanner) reference(t string) (rune, int, error) {
	end := strings.IndexFunc(t[1:], func(r rune) bool { return !nameChar(r) && r != '#' }) + 1
	if end == 0 {
		end = len(t)
	}
	name := t[1:end]
	switch {
	case name == "":
		return 0, 0, s.fatal("The entity name must immediately follow the '&' in the entity reference.")
	case end == len(t) || t[end] != ';':
		return 0, 0, s.fatal(`The reference to entity "%s" must end with the ';' delimiter.`, cut(name))
	}
	if strings.HasPrefix(name, "#") {
		r, ok := charReference(name[1:])
		if !ok {
			return 0, 0, s.fatal(`Character reference "&%s" is an invalid XML character.`, cut(name))
		}
		return r, end + 1, nil
	}
	if r, ok := entities[name]; ok {
		return r, end + 1, nil
	}
	return 0, 0, s.fatal(`The entity "%s" was referenced, but not declared.`, cut(name))
}

func charReference(digits string) (rune, bool) {
	base := 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	if strings.HasPrefix(digits, "+") {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, base, 32)
	r := rune(v)
	if err != nil || v > utf8.MaxRune || utf16.IsSurrogate(r) || r == 0xFFFE || r == 0xFFFF || v < 0x20 && !isSpace(byte(v)) {
		return 0, false
	}
	return r, true
}
