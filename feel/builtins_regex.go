package feel

import (
	"strings"
	"unicode/utf8"
)

var regexFunctions = map[string]builtinFunc{
	"matches(input, pattern)": func(c *evaluation, a []Value) (Value, bool) {
		return c.regexMatches(a[0], a[1], String(""))
	},
	"matches(input, pattern, flags)": func(c *evaluation, a []Value) (Value, bool) {
		return c.regexMatches(a[0], a[1], a[2])
	},
	"replace(input, pattern, replacement)": func(c *evaluation, a []Value) (Value, bool) {
		return c.regexReplace(a[0], a[1], a[2], String(""))
	},
	"replace(input, pattern, replacement, flags)": func(c *evaluation, a []Value) (Value, bool) {
		return c.regexReplace(a[0], a[1], a[2], a[3])
	},
	"split(string, delimiter)": func(c *evaluation, a []Value) (Value, bool) { return c.regexSplit(a[0], a[1]) },
	"extract(input, pattern)":  func(c *evaluation, a []Value) (Value, bool) { return c.regexExtract(a[0], a[1]) },
}

// regexOf gives the text and the compiled pattern of the arguments.
func (c *evaluation) regexOf(input, pattern, flags Value) (string, *regex, bool) {
	in, ok1 := input.(String)
	p, ok2 := pattern.(String)
	f, ok3 := flags.(String)
	if !ok3 && flags.Kind() == KindNull {
		f, ok3 = "", true
	}
	if !ok1 || !ok2 || !ok3 {
		return "", nil, false
	}
	c.spend(1 + len(p)/bytesPerStep)
	r, ok := compileRegex(string(p), string(f))
	if !ok {
		c.problem = "Invalid pattern '" + string(p) + "'"
	}
	return string(in), r, ok
}

// eachMatch visits the matches one after the other; an empty one may follow
// directly after another, as in java.util.regex.
func (c *evaluation) eachMatch(r *regex, in string, visit func(m []int)) {
	for from := 0; from <= len(in); {
		c.spend(1)
		m := r.find(c, in, from)
		if m == nil {
			return
		}
		visit(m)
		if from = m[1]; m[0] == m[1] {
			_, n := utf8.DecodeRuneInString(in[from:])
			from += max(n, 1)
		}
	}
}

func (c *evaluation) regexMatches(input, pattern, flags Value) (Value, bool) {
	in, r, ok := c.regexOf(input, pattern, flags)
	if !ok {
		return null, false
	}
	return Bool(r.find(c, in, 0) != nil), true
}

func (c *evaluation) regexReplace(input, pattern, replacement, flags Value) (Value, bool) {
	in, r, ok := c.regexOf(input, pattern, flags)
	repl, isText := replacement.(String)
	if !ok || !isText {
		return null, false
	}
	parts, ok := r.parseReplacement(string(repl))
	if !ok {
		c.problem = "Invalid replacement '" + string(repl) + "'"
		return null, false
	}
	var b strings.Builder
	last := 0
	c.eachMatch(r, in, func(m []int) {
		b.WriteString(in[last:m[0]])
		for _, p := range parts {
			if p.group < 0 {
				b.WriteString(p.text)
			} else if m[2*p.group] >= 0 {
				b.WriteString(in[m[2*p.group]:m[2*p.group+1]])
			}
		}
		if last = m[1]; b.Len() > maxTextLength {
			c.exceed("a text is too long")
		}
	})
	b.WriteString(in[last:])
	return c.newText(b.String()), true
}

// replacementPart is a text, or a group if group is not negative.
type replacementPart struct {
	text  string
	group int
}

// parseReplacement reads $1 and ${name}; a backslash makes the next character plain.
func (r *regex) parseReplacement(s string) ([]replacementPart, bool) {
	var parts []replacementPart
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			if i+1 == len(s) {
				return nil, false
			}
			_, n := utf8.DecodeRuneInString(s[i+1:])
			parts = append(parts, replacementPart{s[i+1 : i+1+n], -1})
			i += 1 + n
		case c == '$':
			group, n := r.replacementGroup(s[i+1:])
			if n == 0 {
				return nil, false
			}
			parts = append(parts, replacementPart{"", group})
			i += 1 + n
		default:
			n := strings.IndexAny(s[i:], `\$`)
			if n < 0 {
				n = len(s) - i
			}
			parts = append(parts, replacementPart{s[i : i+n], -1})
			i += n
		}
	}
	return parts, true
}

// replacementGroup reads the group after a $ and how long its name is, 0 if
// there is no such group.
func (r *regex) replacementGroup(s string) (group, length int) {
	if strings.HasPrefix(s, "{") {
		name, _, found := strings.Cut(s[1:], "}")
		group, ok := r.names[name]
		if !found || !ok {
			return 0, 0
		}
		return group, len(name) + 2
	}
	if s == "" || !isDigit(s[0]) || int(s[0]-'0') > r.groups {
		return 0, 0
	}
	group, length = int(s[0]-'0'), 1
	for length < len(s) && isDigit(s[length]) && group*10+int(s[length]-'0') <= r.groups {
		group = group*10 + int(s[length]-'0')
		length++
	}
	return group, length
}

// regexSplit gives the texts between the matches; an empty match at the
// beginning splits nothing off (java.util.regex.Pattern.split without a limit
// that drops empty texts at the end).
func (c *evaluation) regexSplit(input, pattern Value) (Value, bool) {
	in, r, ok := c.regexOf(input, pattern, String(""))
	if !ok {
		return null, false
	}
	out := List{}
	last := 0
	c.eachMatch(r, in, func(m []int) {
		if m[1] == 0 {
			return
		}
		out = append(out, String(in[last:m[0]]))
		last = m[1]
	})
	return append(out, String(in[last:])), true
}

func (c *evaluation) regexExtract(input, pattern Value) (Value, bool) {
	in, r, ok := c.regexOf(input, pattern, String(""))
	if !ok {
		return null, false
	}
	out := List{}
	c.eachMatch(r, in, func(m []int) { out = append(out, String(in[m[0]:m[1]])) })
	return out, true
}
