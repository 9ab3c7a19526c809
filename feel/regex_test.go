package feel

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func newEvaluation() *evaluation {
	c := &evaluation{env: &Env{}, steps: DefaultMaxSteps}
	c.vars = &c.own
	return c
}

func TestRegex(t *testing.T) {
	for _, c := range []struct {
		pattern, flags, in string
		match              bool
		text               string
	}{
		{`a`, "", "cab", true, "a"}, {`^b`, "", "cab", false, ""}, {`b$`, "", "cab\n", true, "b"}, {`b\z`, "", "cab\n", false, ""},
		{`^b`, "m", "a\nb", true, "b"}, {`a$`, "m", "a\nb", true, "a"}, {`.`, "", "\n", false, ""}, {`.`, "s", "\n", true, "\n"},
		{`A B`, "ix", "ab", true, "ab"}, {"a # c\n b", "x", "ab", true, "ab"}, {`É`, "i", "é", true, "é"}, {`[a-c]+`, "i", "xABCd", true, "ABC"},
		{`a{2,3}`, "", "aaaa", true, "aaa"}, {`a{2,3}?`, "", "aaaa", true, "aa"}, {`a{2}`, "", "a", false, ""}, {`a{2,}`, "", "aaaa", true, "aaaa"},
		{`a*+a`, "", "aaa", false, ""}, {`(?>a*)a`, "", "aaa", false, ""}, {`a*?b`, "", "aab", true, "aab"},
		{`(a)(b)?\1`, "", "aa", true, "aa"}, {`(a)\2`, "", "aa", false, ""}, {`(?<x>.)\k<x>`, "", "abb", true, "bb"},
		{`(?i)a(?-i)b`, "", "Ab", true, "Ab"}, {`(?i)a(?-i)b`, "", "AB", false, ""}, {`(?i:a)b`, "", "Ab", true, "Ab"},
		{`foo(?=bar)`, "", "foobar", true, "foo"}, {`foo(?!bar)`, "", "foobar", false, ""}, {`(?<=foo)bar`, "", "foobar", true, "bar"},
		{`(?<!foo)bar`, "", "foobar", false, ""}, {`(?<=a{1,3})b`, "", "aab", true, "b"}, {`\bfoo\b`, "", "a foo b", true, "foo"}, {`\Boo`, "", "foo", true, "oo"},
		{`[^a]`, "", "ab", true, "b"}, {`[]a]+`, "", "]a", true, "]a"}, {`[a-z&&[^b]]+`, "", "bac", true, "ac"}, {`[a&&b]`, "", "ab", false, ""}, {`[\w-]+`, "", "a-b", true, "a-b"},
		{`[[a-c]x]+`, "", "xb", true, "xb"}, {`\d+\D\s\S\w\W`, "", "12x yz!", true, "12x yz!"}, {`\p{L}+`, "", "1é2", true, "é"}, {`\P{L}`, "", "a1", true, "1"},
		{`\p{IsHan}`, "", "日", true, "日"}, {`\p{Upper}\p{Punct}`, "", "A!", true, "A!"}, {`\x41\u0042\x{43}\07`, "", "ABC\a", true, "ABC\a"},
		{`\Qa.b\E+`, "", "a.b", false, ""}, {`\Qa.b\E`, "", "a.b", true, "a.b"}, {`a|b|`, "", "c", true, ""}, {`}`, "", "}", true, "}"}, {`]`, "", "]", true, "]"},
		{`(a|ab)(c|bcd)(d*)`, "", "abcd", true, "abcd"}, {`(a*)*`, "", "b", true, ""}, {`(a*)+b`, "", "aab", true, "aab"}, {`😀+`, "", "a😀😀", true, "😀😀"},
	} {
		r, ok := compileRegex(c.pattern, c.flags)
		if c.pattern == `\Qa.b\E+` { // a quantifier after a quotation has nothing to repeat here
			if ok {
				t.Errorf("%s compiled", c.pattern)
			}
			continue
		}
		if !ok {
			t.Errorf("%s does not compile", c.pattern)
			continue
		}
		m := r.find(newEvaluation(), c.in, 0)
		if (m != nil) != c.match || m != nil && c.in[m[0]:m[1]] != c.text {
			t.Errorf("%q in %q: got %v, want %v %q", c.pattern, c.in, m, c.match, c.text)
		}
	}
}

func TestRegexRefused(t *testing.T) {
	for _, p := range []string{
		`[`, `[a`, `(`, `)`, `(a`, `a)`, `*`, `+a`, `?`, `a**`, `{`, `{1}`, `a{`, `a{x}`, `a{2,1}`, `\`, `\y`, `\p{Nope}`, `\k<x>`, `(?<x>a)(?<x>b)`,
		`(?z)`, `(?`, `[b-a]`, `\x{`, `\u12`, `(?<>a)`, `a{99999999}`, `((((a{500}){500}){500}){500})`, `[[[`, `\0`,
	} {
		if _, ok := compileRegex(p, ""); ok {
			t.Errorf("%q compiled", p)
		}
	}
}

// Where the standard library has the same syntax it has to find the same.
func TestRegexAgainstStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b", "c", ".", "(", ")", "|", "*", "+", "?", "*?", "+?", "{1,2}", "[ab]", "[^a]", "^", "$", "(?:", `\w`, `\b`, `\d`}
	compared := 0
	for range 60_000 {
		pattern := ""
		for range 1 + rnd.IntN(7) {
			pattern += pieces[rnd.IntN(len(pieces))]
		}
		std, err := regexp.Compile(pattern)
		r, ok := compileRegex(pattern, "")
		if err != nil || !ok {
			continue
		}
		in := ""
		for range rnd.IntN(8) {
			in += string("abc1"[rnd.IntN(4)])
		}
		want := std.FindStringIndex(in)
		got := r.find(newEvaluation(), in, 0)
		if (want == nil) != (got == nil) || want != nil && (want[0] != got[0] || want[1] != got[1]) {
			t.Fatalf("%q in %q: got %v, want %v", pattern, in, got, want)
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d patterns compared", compared)
	}
	t.Logf("%d patterns compared", compared)
}

func FuzzRegex(f *testing.F) {
	f.Add(`(a|b)*?\1[^c&&[a-z]]{2,3}(?<=x)`, "ababx")
	f.Add(`(?i)\p{L}+\b$`, "É")
	f.Fuzz(func(t *testing.T, pattern, in string) {
		r, ok := compileRegex(pattern, "")
		if !ok {
			return
		}
		defer func() {
			if p := recover(); p != nil {
				if _, limit := p.(abort); !limit {
					panic(p)
				}
			}
		}()
		c := newEvaluation()
		c.steps = 20_000
		if m := r.find(c, in, 0); m != nil && (m[0] > m[1] || m[1] > len(in)) {
			t.Fatalf("%q in %q: %v", pattern, in, m)
		}
	})
}
