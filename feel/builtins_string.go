package feel

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode"
)

var stringFunctions = map[string]builtinFunc{
	"substring(string, start position)": func(c *evaluation, a []Value) (Value, bool) {
		return c.substring(a[0], a[1], NewInt(math.MaxInt32))
	},
	"substring(string, start position, length)": func(c *evaluation, a []Value) (Value, bool) {
		return c.substring(a[0], a[1], a[2])
	},
	"string length(string)": func(c *evaluation, a []Value) (Value, bool) {
		s, ok := a[0].(String)
		return NewInt(int64(utf16Length(string(s)))), ok
	},
	"upper case(string)": func(c *evaluation, a []Value) (Value, bool) {
		s, ok := a[0].(String)
		return c.newText(upperCase(string(s))), ok
	},
	"lower case(string)": func(c *evaluation, a []Value) (Value, bool) {
		s, ok := a[0].(String)
		return c.newText(lowerCase(string(s))), ok
	},
	"trim(string)": func(c *evaluation, a []Value) (Value, bool) {
		s, ok := a[0].(String)
		return String(strings.TrimFunc(string(s), func(r rune) bool { return r <= ' ' })), ok
	},
	"substring before(string, match)": texts(func(c *evaluation, s, match string) Value {
		before, _, found := strings.Cut(s, match)
		if !found {
			return String("")
		}
		return String(before)
	}),
	"substring after(string, match)": texts(func(c *evaluation, s, match string) Value {
		_, after, _ := strings.Cut(s, match)
		return String(after)
	}),
	"contains(string, match)":    texts(func(c *evaluation, s, m string) Value { return Bool(strings.Contains(s, m)) }),
	"starts with(string, match)": texts(func(c *evaluation, s, m string) Value { return Bool(strings.HasPrefix(s, m)) }),
	"ends with(string, match)":   texts(func(c *evaluation, s, m string) Value { return Bool(strings.HasSuffix(s, m)) }),
	"string join(list)": func(c *evaluation, a []Value) (Value, bool) {
		return c.join(a[0], null, String(""), String(""))
	},
	"string join(list, delimiter)": func(c *evaluation, a []Value) (Value, bool) {
		return c.join(a[0], a[1], String(""), String(""))
	},
	"string join(list, delimiter, prefix, suffix)": func(c *evaluation, a []Value) (Value, bool) {
		return c.join(a[0], a[1], a[2], a[3])
	},
}

// texts makes a function of two texts.
func texts(fn func(c *evaluation, a, b string) Value) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		s, ok1 := a[0].(String)
		t, ok2 := a[1].(String)
		if !ok1 || !ok2 {
			return null, false
		}
		c.spend(len(s) / bytesPerStep)
		return fn(c, string(s), string(t)), true
	}
}

// substring gives length characters from start, the first being 1 and the last
// -1. A negative length fails, as in the original.
func (c *evaluation) substring(text, start, length Value) (Value, bool) {
	s, ok := text.(String)
	from, ok1 := whole(start)
	n, ok2 := whole(length)
	if !ok || !ok1 || !ok2 {
		return null, false
	}
	if n < 0 {
		return c.failed("the length of a substring is negative: %d", n), true
	}
	switch {
	case from > 0:
		from--
	case from < 0:
		from = max(from+int64(utf16Length(string(s))), 0)
	default:
		return String(""), true
	}
	return c.newText(utf16Slice(string(s), from, from+min(n, math.MaxInt32))), true
}

// upperCase is that of java.lang.String: characters may become several.
func upperCase(s string) string {
	return strings.ToUpper(upperSpecial.Replace(s))
}

var upperSpecial = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J\u030c",
	"ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST")

// lowerCase is that of java.lang.String: İ keeps its dot, and a sigma at the
// end of a word has a form of its own.
func lowerCase(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	out := make([]rune, 0, len(runes)+1)
	for i, r := range runes {
		switch {
		case r == 'İ':
			out = append(out, 'i', '\u0307')
		case r == 'Σ' && i > 0 && unicode.IsLetter(runes[i-1]) && (i+1 == len(runes) || !unicode.IsLetter(runes[i+1])):
			out = append(out, 'ς')
		default:
			out = append(out, unicode.ToLower(r))
		}
	}
	return string(out)
}

// join joins the texts of a list; nulls are left out, and a null delimiter is none.
func (c *evaluation) join(list, delimiter, prefix, suffix Value) (Value, bool) {
	l, ok := listOfOne(list)
	before, ok1 := prefix.(String)
	after, ok2 := suffix.(String)
	d, ok3 := delimiter.(String)
	if !ok || !ok1 || !ok2 || !ok3 && delimiter.Kind() != KindNull {
		return null, false
	}
	parts := make([]string, 0, len(l))
	total := 0
	for _, e := range l {
		s, ok := e.(String)
		if !ok && orNull(e).Kind() != KindNull {
			return null, false
		}
		if ok {
			if total += len(s) + len(d); total > maxTextLength {
				c.exceed("a text is too long")
			}
			parts = append(parts, string(s))
		}
	}
	c.spend(len(l))
	return c.newText(string(before) + strings.Join(parts, string(d)) + string(after)), true
}

func toBase64(c *evaluation, a []Value) (Value, bool) {
	s, ok := a[0].(String)
	return c.newText(base64.StdEncoding.EncodeToString([]byte(s))), ok
}
