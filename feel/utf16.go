package feel

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Texts count in UTF-16 units, as in the original: a character beyond U+FFFF
// has two. What is left of one that is cut in half is '?'.

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// utf16Slice gives the units from start up to end, both clipped to the text.
func utf16Slice(s string, start, end int64) string {
	if isASCII(s) {
		n := int64(len(s))
		start, end = max(min(start, n), 0), max(min(end, n), 0)
		return s[start:max(start, end)]
	}
	units := utf16.Encode([]rune(s))
	n := int64(len(units))
	start, end = max(min(start, n), 0), max(min(end, n), 0)
	var out []byte
	for i := start; i < end; i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			whole := utf8.RuneError
			if i+1 < end {
				whole = utf16.DecodeRune(r, rune(units[i+1]))
			}
			if r = '?'; whole != utf8.RuneError {
				r = whole
				i++
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
