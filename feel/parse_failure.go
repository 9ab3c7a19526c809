package feel

import (
	"fmt"
	"slices"
	"strings"
)

// This file words the failure to parse an expression as the original does, whose
// parser goes back to the longest part that is an expression and lists what it
// could go on with (seen on Zeebe 8.6.0; testdata/parse-failures.txt).

const (
	// maxWorded and maxWordedTokens bound the expressions whose failure is worded
	// so: finding the part means to parse again and again.
	maxWorded       = 4 << 10
	maxWordedTokens = 200

	atStart       = `ifOp | forOp | quantifiedOp | disjunction`
	afterTerm     = `binaryComparison | between | instanceOf | in | "and" | "or" | end-of-input`
	afterOperand  = `path | filter | "**" | [*/] | [+\\-] | "and" | "or" | end-of-input`
	afterTypeName = `"." | "and" | "or" | end-of-input`
	afterTest     = `"and" | "or" | end-of-input`
)

// parseFailure says what the original would have expected where; "" if that is
// not known.
func parseFailure(src string) string {
	tokens := lex(src)
	tokens = tokens[:len(tokens)-1] // the end, or what is no token
	if len(src) > maxWorded || len(tokens) > maxWordedTokens {
		return ""
	}
	for n := len(tokens); n > 0; n-- {
		end := tokens[n-1].end
		if _, err := newParser(src[:end]).parseExpression(); err == nil {
			at, _ := skipBlanks(src, end)
			at, expected := goesOn(src, at, canFollow(tokens[:n]))
			return expectedAt(src, at, expected)
		}
	}
	at, closed := skipBlanks(src, 0)
	if !closed || at == 0 {
		return expectedAt(src, 0, "start-of-input | "+atStart)
	}
	return expectedAt(src, at, atStart)
}

func expectedAt(src string, at int, expected string) string {
	line := strings.LastIndexByte(src[:at], '\n') + 1
	return fmt.Sprintf("Expected (%s):%d:%d, found %s", expected, 1+strings.Count(src[:at], "\n"), 1+utf16Length(src[line:at]), foundText(src[at:]))
}

// foundText is what the original shows of the rest: ten characters of Java.
func foundText(rest string) string {
	shown := utf16Slice(rest, 0, min(10, int64(utf16Length(rest))))
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(shown) + `"`
}

// operandStarts begin a new operand of and, or, or an expression of its own.
var operandStarts = []string{"and", "or", "then", "else", "return", "satisfies"}

// canFollow tells what may follow an expression: that depends on what its last
// operand of and and or is.
func canFollow(tokens []token) string {
	last, depth, between := []token(nil), 0, false
	for _, t := range tokens {
		word := ""
		switch {
		case t.kind == tokSymbol && strings.Contains("([{", t.text):
			depth++
		case t.kind == tokSymbol && strings.Contains(")]}", t.text):
			depth--
		case t.kind == tokName && depth == 0:
			word = t.text
		}
		switch {
		case word == "function":
			return afterTerm
		case word == "between":
			between = true
		case between && word == "and":
			between = false
			continue
		case slices.Contains(operandStarts, word):
			last = last[:0]
			continue
		}
		last = append(last, t)
	}
	return canFollowOperand(last)
}

func canFollowOperand(tokens []token) string {
	depth, in := 0, -1
	for i, t := range tokens {
		switch {
		case t.kind == tokSymbol && strings.Contains("([{", t.text):
			depth++
		case t.kind == tokSymbol && strings.Contains(")]}", t.text):
			depth--
		case depth > 0:
		case t.kind == tokName && t.text == "between", t.kind == tokSymbol && slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, t.text):
			return afterOperand
		case t.kind == tokName && t.text == "instance":
			if len(tokens) > i+3 { // of, and a type of several words
				return afterTest
			}
			return afterTypeName
		case t.kind == tokName && t.text == "in":
			in = i
		}
	}
	if isTest(tokens[in+1:], in >= 0) {
		return afterTest
	}
	return afterTerm
}

// isTest tells whether tokens are a range, or after in a list of tests.
func isTest(tokens []token, in bool) bool {
	if len(tokens) < 2 || tokens[0].kind != tokSymbol || !strings.Contains("([]", tokens[0].text) {
		return false
	}
	depth := 0
	for _, t := range tokens[1 : len(tokens)-1] {
		switch {
		case t.kind != tokSymbol:
		case t.text == ".." && depth == 0:
			return true
		case strings.Contains("([{", t.text):
			depth++
		case strings.Contains(")]}", t.text):
			depth--
		}
	}
	return in && tokens[0].text == "("
}

// goesOn adds to what is expected where the rest begins like it.
func goesOn(src string, at int, expected string) (int, string) {
	replace := func(was, is string) { expected = strings.Replace(expected, was, is, 1) }
	rest := lex(src[at:])
	switch t := rest[0]; {
	case t.kind == tokName && t.text == "and":
		replace(`"and"`, `"and" ~ (addSub | unaryComparison | range)`)
	case t.kind == tokName && t.text == "or":
		replace(`"or"`, `"or" ~ conjunction`)
	case t.kind == tokName && t.text == "instance" && len(rest) > 1 && rest[1].kind == tokName && rest[1].text == "of":
		return at + rest[1].start, `"of" ~ typeName | ` + expected
	case t.kind == tokSymbol && (t.text == "+" || t.text == "-"):
		replace(`[+\\-]`, `[+\\-] ~ mulDiv`)
	case t.kind == tokSymbol && (t.text == "*" || t.text == "/" || t.text == "**"):
		replace(`[*/]`, `[*/] ~ exponent`)
		if t.text == "**" {
			replace(`"**"`, `"**" ~ mathNegation`)
		}
	}
	return at, expected
}
