package feel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNumber
	tokString
	tokName
	tokQuotedName // `in backticks`
	tokSymbol
	tokBad // text says what is wrong
)

// token is a word of the language. text is a symbol, a name, the digits of a
// number, or the decoded content of a string.
type token struct {
	kind       tokenKind
	text       string
	start, end int // bytes of the source
}

// lex cuts the source into tokens. What cannot be one becomes a tokBad, after
// which it stops; the last token is always tokBad or tokEnd.
func lex(src string) []token {
	tokens := make([]token, 0, 8+len(src)/4)
	for pos := 0; ; {
		next, closed := skipBlanks(src, pos)
		if !closed {
			return append(tokens, token{tokBad, "comment without end", next, next})
		}
		pos = next
		if pos == len(src) {
			return append(tokens, token{tokEnd, "end of the expression", pos, pos})
		}
		t := lexOne(src, pos)
		tokens = append(tokens, t)
		if t.kind == tokBad {
			return tokens
		}
		pos = t.end
	}
}

// skipBlanks skips white space and comments; it says no at a comment without end.
func skipBlanks(src string, pos int) (next int, closed bool) {
	for pos < len(src) {
		switch c := src[pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			pos++
		case c == '/' && strings.HasPrefix(src[pos:], "//"):
			n := strings.IndexByte(src[pos:], '\n')
			if n < 0 {
				return len(src), true
			}
			pos += n
		case c == '/' && strings.HasPrefix(src[pos:], "/*"):
			n := strings.Index(src[pos+2:], "*/")
			if n < 0 {
				return pos, false
			}
			pos += n + 4
		case c >= utf8.RuneSelf || c == '\v' || c == '\f':
			r, n := utf8.DecodeRuneInString(src[pos:])
			if !unicode.IsSpace(r) && r != '\uFEFF' {
				return pos, true
			}
			pos += n
		default:
			return pos, true
		}
	}
	return pos, true
}

// symbols are tried in order, so longer ones come first.
var symbols = []string{
	"**", "..", "<=", ">=", "!=",
	"+", "-", "*", "/", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "?", "@",
}

func lexOne(src string, pos int) token {
	c := src[pos]
	switch {
	case isDigit(c) || c == '.' && pos+1 < len(src) && isDigit(src[pos+1]) && (pos == 0 || src[pos-1] != '.'):
		return lexNumber(src, pos)
	case c == '"':
		return lexString(src, pos)
	case c == '`':
		n := strings.IndexByte(src[pos+1:], '`')
		if n < 0 {
			return token{tokBad, "name in backticks without end", pos, len(src)}
		}
		return token{tokQuotedName, src[pos+1 : pos+1+n], pos, pos + n + 2}
	}
	if r, n := utf8.DecodeRuneInString(src[pos:]); isNameStart(r) {
		return lexName(src, pos, n)
	}
	for _, s := range symbols {
		if strings.HasPrefix(src[pos:], s) {
			return token{tokSymbol, s, pos, pos + len(s)}
		}
	}
	_, n := utf8.DecodeRuneInString(src[pos:])
	return token{tokBad, "unexpected character '" + src[pos:pos+n] + "'", pos, pos + n}
}

func lexName(src string, pos, end int) token {
	end += pos
	for end < len(src) {
		r, n := utf8.DecodeRuneInString(src[end:])
		if !isNamePart(r) {
			break
		}
		end += n
	}
	return token{tokName, src[pos:end], pos, end}
}

// Names are the identifiers of Java, as in the original, and what else the
// standard lets them have: all characters after U+FFFF (DMN 1.3, grammar rules
// 28 to 30).
func isNameStart(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '$'
	}
	return r > 0xFFFF && r < 0xF0000 || unicode.In(r, unicode.L, unicode.Nl, unicode.Sc, unicode.Pc)
}

func isNamePart(r rune) bool {
	if r < utf8.RuneSelf {
		return isNameStart(r) || r >= '0' && r <= '9'
	}
	return isNameStart(r) || unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc)
}

// lexNumber reads digits with decimals; a point without digits after it is no part.
func lexNumber(src string, pos int) token {
	end := pos
	for end < len(src) && isDigit(src[end]) {
		end++
	}
	if end+1 < len(src) && src[end] == '.' && isDigit(src[end+1]) {
		for end++; end < len(src) && isDigit(src[end]); {
			end++
		}
	}
	return token{tokNumber, src[pos:end], pos, end}
}

func lexString(src string, pos int) token {
	for i := pos + 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return token{tokString, unescape(src[pos+1 : i]), pos, i + 1}
		}
	}
	return token{tokBad, "string without end", pos, len(src)}
}

// unescape decodes the escapes the original knows: \" \' \n \r \t \b \f. All
// others, \\ and \u0041 too, stay as they are written.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if d := strings.IndexByte(`"'nrtbf`, s[i+1]); d >= 0 {
				b = append(b, "\"'\n\r\t\b\f"[d])
				i++
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
