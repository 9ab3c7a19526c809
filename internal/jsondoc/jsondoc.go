// Package jsondoc takes apart the JSON objects that clients send as variables,
// without building values: a member stays the text it was, less its blanks.
package jsondoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds nesting, so that a hostile document cannot exhaust a stack.
const MaxDepth = 1000

// Member is one name of the root object and the compact JSON text of its value.
type Member struct {
	Name  string
	Value []byte
}

// NotObject is the error of a document that is JSON but no object.
type NotObject struct{ Type string }

func (e *NotObject) Error() string {
	return fmt.Sprintf("Expected document to be a root level object, but was '%s'", e.Type)
}

// Syntax is the error of a document that is no JSON.
type Syntax struct {
	Doc    string
	Line   int // from 1
	Column int // from 1, in characters
	Reason string
}

func (e *Syntax) Error() string {
	return fmt.Sprintf("Invalid JSON value: %s\n at line %d, column %d: %s", e.Doc, e.Line, e.Column, e.Reason)
}

// Parse checks doc and returns its members in order; of a name given twice the
// last value stands. A blank document and null are the empty object. The error
// is *Syntax or *NotObject.
func Parse(doc []byte) ([]Member, error) {
	doc = bytes.TrimLeft(doc, " \t\r\n")
	if len(doc) == 0 {
		return nil, nil
	}
	s := &scanner{doc: doc}
	if doc[0] != '{' {
		return nil, s.notObject()
	}
	members := s.object()
	if s.err == nil {
		s.blanks()
		if s.pos < len(doc) {
			s.fail("there is more after the object")
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	return members, nil
}

type scanner struct {
	doc   []byte
	pos   int
	depth int
	err   error
}

// maxQuoted bounds how much of a bad document an error repeats.
const maxQuoted = 256

func (s *scanner) fail(reason string) {
	if s.err != nil {
		return
	}
	e := &Syntax{Doc: string(s.doc), Line: 1, Column: 1, Reason: reason}
	for _, r := range string(s.doc[:min(s.pos, len(s.doc))]) {
		if e.Column++; r == '\n' {
			e.Line, e.Column = e.Line+1, 1
		}
	}
	if len(e.Doc) > maxQuoted {
		e.Doc = string(bytes.ToValidUTF8(s.doc[:maxQuoted], nil)) + "…"
	}
	s.err = e
	s.pos = len(s.doc)
}

func (s *scanner) notObject() error {
	if !json.Valid(s.doc) {
		s.value(nil)
		s.fail("not a JSON document")
		return s.err
	}
	switch s.doc[0] {
	case 'n':
		return nil
	case '[':
		return &NotObject{Type: "ARRAY"}
	case '"':
		return &NotObject{Type: "STRING"}
	case 't', 'f':
		return &NotObject{Type: "BOOLEAN"}
	}
	if bytes.ContainsAny(s.doc, ".eE") {
		return &NotObject{Type: "FLOAT"}
	}
	return &NotObject{Type: "INTEGER"}
}

func (s *scanner) blanks() {
	for s.pos < len(s.doc) && (s.doc[s.pos] == ' ' || s.doc[s.pos] == '\t' || s.doc[s.pos] == '\n' || s.doc[s.pos] == '\r') {
		s.pos++
	}
}

func (s *scanner) peek() byte {
	s.blanks()
	if s.pos < len(s.doc) {
		return s.doc[s.pos]
	}
	return 0
}

func (s *scanner) expect(c byte) bool {
	if s.peek() != c {
		s.fail(fmt.Sprintf("expected '%c'", c))
		return false
	}
	s.pos++
	return true
}

// object scans the root object.
func (s *scanner) object() (members []Member) {
	s.expect('{')
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for s.err == nil {
		name := s.name()
		if s.err != nil || !s.expect(':') {
			return nil
		}
		s.depth = 1
		members = set(members, name, s.value(nil))
		if s.peek() != ',' {
			s.expect('}')
			return members
		}
		s.pos++
	}
	return nil
}

func set(members []Member, name string, value []byte) []Member {
	for i := range members {
		if members[i].Name == name {
			members[i].Value = value
			return members
		}
	}
	return append(members, Member{Name: name, Value: value})
}

func (s *scanner) name() string {
	if s.peek() != '"' {
		s.fail("expected a name in double quotes")
		return ""
	}
	text := s.text(nil)
	if s.err != nil {
		return ""
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var name string
	if err := json.Unmarshal(text, &name); err != nil {
		s.fail("bad name")
	}
	return name
}

// value appends the compact text of the value that comes next.
func (s *scanner) value(out []byte) []byte {
	switch c := s.peek(); c {
	case '{', '[':
		return s.nested(out, c)
	case '"':
		return s.text(out)
	case 't':
		return s.word(out, "true")
	case 'f':
		return s.word(out, "false")
	case 'n':
		return s.word(out, "null")
	}
	return s.number(out)
}

func (s *scanner) word(out []byte, w string) []byte {
	if !bytes.HasPrefix(s.doc[s.pos:], []byte(w)) {
		s.fail("unknown word")
		return out
	}
	s.pos += len(w)
	return append(out, w...)
}

func (s *scanner) nested(out []byte, open byte) []byte {
	end := byte('}')
	if open == '[' {
		end = ']'
	}
	if s.depth++; s.depth > MaxDepth {
		s.fail(fmt.Sprintf("nested more than %d levels deep", MaxDepth))
		return out
	}
	defer func() { s.depth-- }()
	s.pos++
	out = append(out, open)
	if s.peek() == end {
		s.pos++
		return append(out, end)
	}
	for s.err == nil {
		if open == '{' {
			if s.peek() != '"' {
				s.fail("expected a name in double quotes")
				return out
			}
			out = append(s.text(out), ':')
			if !s.expect(':') {
				return out
			}
		}
		out = s.value(out)
		if s.peek() != ',' {
			break
		}
		s.pos++
		out = append(out, ',')
	}
	s.expect(end)
	return append(out, end)
}

func (s *scanner) text(out []byte) []byte {
	start := s.pos
	s.pos++
	for s.pos < len(s.doc) {
		switch c := s.doc[s.pos]; {
		case c == '"':
			s.pos++
			text := s.doc[start:s.pos]
			if !utf8.Valid(text) {
				s.fail("text that is not UTF-8")
			}
			return append(out, text...)
		case c < ' ':
			s.fail("control character in a text")
			return out
		case c == '\\':
			s.escape()
		default:
			s.pos++
		}
	}
	s.fail("text without an end")
	return out
}

func (s *scanner) escape() {
	s.pos++
	if s.pos >= len(s.doc) {
		return
	}
	switch c := s.doc[s.pos]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
	case 'u':
		for i := 1; i <= 4; i++ {
			if s.pos+i >= len(s.doc) || !isHex(s.doc[s.pos+i]) {
				s.fail("bad \\u escape")
				return
			}
		}
		s.pos += 5
	default:
		s.fail("unknown escape")
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *scanner) number(out []byte) []byte {
	start := s.pos
	for s.pos < len(s.doc) && bytes.IndexByte([]byte("+-.eE0123456789"), s.doc[s.pos]) >= 0 {
		s.pos++
	}
	text := s.doc[start:s.pos]
	if len(text) == 0 || !json.Valid(text) {
		s.pos = start
		s.fail("expected a value")
		return out
	}
	return append(out, text...)
}

// Append writes members as a compact object.
func Append(out []byte, members []Member) []byte {
	out = append(out, '{')
	for i := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendName(out, members[i].Name)
		out = append(append(out, ':'), members[i].Value...)
	}
	return append(out, '}')
}

// AppendName writes a member's name in quotes.
func AppendName(out []byte, name string) []byte {
	plain := true
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return append(append(append(out, '"'), name...), '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(name); err != nil { // a string always encodes
		return append(out, `""`...)
	}
	return append(out, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// IsSyntax tells whether err is a *Syntax.
func IsSyntax(err error) bool {
	var s *Syntax
	return errors.As(err, &s)
}
