package dmn

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blankNames are the names in a model that have blanks in them, by their
// first word, the longest first. FEEL reads such a name only if it knows it
// (DMN 1.3, 10.3.1.2); feel wants it in backquotes.
type blankNames map[string][]string

// newBlankNames collects the names of all elements. Those beyond maxBlankNames
// and longer ones than maxBlankName have to be written in backquotes.
func newBlankNames(root *node) blankNames {
	found := map[string]bool{}
	var visit func(n *node)
	visit = func(n *node) {
		if n.zeebe {
			return
		}
		for _, attribute := range []string{"name", "iteratorVariable"} {
			name := normalName(n.attr(attribute))
			if len(name) <= maxBlankName && strings.Contains(name, " ") && !strings.Contains(name, "`") && len(found) < maxBlankNames {
				found[name] = true
			}
		}
		for _, c := range n.children {
			visit(c)
		}
	}
	for _, c := range root.children {
		visit(c)
	}
	names := blankNames{}
	for name := range found {
		first := name[:wordEnd(name)]
		names[first] = append(names[first], name)
	}
	for _, l := range names {
		slices.SortFunc(l, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(a, b)
		})
	}
	return names
}

// normalName makes one blank of each run of white space.
func normalName(s string) string { return strings.Join(strings.Fields(s), " ") }

func wordChar(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordEnd is where the word at the start of s ends.
func wordEnd(s string) int {
	if i := strings.IndexFunc(s, func(r rune) bool { return !wordChar(r) }); i >= 0 {
		return i
	}
	return len(s)
}

// quote puts the names into backquotes, except inside of texts and comments.
func (names blankNames) quote(src string) string {
	var b strings.Builder
	for i := 0; i < len(src); {
		n := skipped(src[i:])
		if n == 0 {
			word := src[i : i+wordEnd(src[i:])]
			if name, length := names.match(src[i:], word); length > 0 {
				b.WriteString("`" + name + "`")
				i += length
				continue
			}
			n = max(len(word), 1)
		}
		b.WriteString(src[i : i+n])
		i += n
	}
	return b.String()
}

// skipped is the length of the text, quoted name or comment that s starts with.
func skipped(s string) int {
	end := ""
	switch {
	case s[0] == '"', s[0] == '`':
		end = s[:1]
	case strings.HasPrefix(s, "//"):
		end = "\n"
	case strings.HasPrefix(s, "/*"):
		end = "*/"
	default:
		return 0
	}
	for i := len(end); i < len(s); i++ {
		switch {
		case s[i] == '\\' && end == `"`:
			i++
		case strings.HasPrefix(s[i:], end):
			return i + len(end)
		}
	}
	return len(s)
}

// match gives the name that s starts with and how long it is written there.
func (names blankNames) match(s, word string) (string, int) {
	for _, name := range names[word] {
		if n := written(s, name); n > 0 {
			return name, n
		}
	}
	return "", 0
}

// written is the length in s of the name, whose blanks may be longer there; 0
// if s does not start with it.
func written(s, name string) int {
	at := 0
	for i := 0; i < len(name); i++ {
		if name[i] == ' ' {
			rest := strings.TrimLeft(s[at:], " \t\r\n")
			if len(rest) == len(s)-at {
				return 0
			}
			at = len(s) - len(rest)
			continue
		}
		if at >= len(s) || s[at] != name[i] {
			return 0
		}
		at++
	}
	if r, _ := utf8.DecodeRuneInString(s[at:]); at < len(s) && wordChar(r) {
		return 0
	}
	return at
}
