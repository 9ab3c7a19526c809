package feel

import "unicode/utf8"

// AppendJSON appends the value as it leaves the language: whole numbers with
// all digits, other numbers as doubles; temporal values as the text of
// java.time; functions and ranges null, functions as entries of a context left
// out; characters beyond U+FFFF as two escaped surrogates.
func AppendJSON(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case Bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Number:
		return v.appendJSON(dst)
	case String:
		return appendJSONString(dst, string(v))
	case List:
		return appendJSONList(dst, v)
	case *Context:
		return appendJSONContext(dst, v)
	case Date:
		return appendJSONString(dst, v.String())
	case Time:
		return appendJSONString(dst, v.javaText())
	case DateTime:
		return appendJSONString(dst, v.javaText())
	case DaysTimeDuration:
		return appendJSONString(dst, v.javaText())
	case YearsMonthsDuration:
		return appendJSONString(dst, v.javaText())
	}
	return append(dst, "null"...)
}

func appendJSONList(dst []byte, l List) []byte {
	dst = append(dst, '[')
	for i, e := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSON(dst, e)
	}
	return append(dst, ']')
}

func appendJSONContext(dst []byte, c *Context) []byte {
	dst = append(dst, '{')
	first := true
	for _, e := range c.entries {
		if _, ok := e.Value.(*Function); ok {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendJSONString(dst, e.Key), ':')
		dst = AppendJSON(dst, e.Value)
	}
	return append(dst, '}')
}

const hexDigits = "0123456789ABCDEF"

func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			dst = append(dst, c)
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = appendEscaped(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, '?')
		case r > 0xFFFF:
			r -= 0x10000
			dst = appendUnicode(dst, 0xD800+r>>10)
			dst = appendUnicode(dst, 0xDC00+r&0x3FF)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return append(dst, '"')
}

func appendUnicode(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return appendUnicode(dst, rune(c))
}
