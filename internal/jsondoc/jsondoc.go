// Package jsondoc takes apart the JSON objects that clients send as variables,
// without building values: a member stays the text it was, less its blanks.
//
// It takes what RFC 8259 defines and, as the original does, a byte order mark,
// texts in single quotes, half of a surrogate pair and anything behind the object,
// of which it makes plain JSON. What it refuses it refuses in the original's words, with the line and
// the column that the original's reader gives (in bytes; seen on Zeebe 8.6.0).
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
	Line   int    // from 1
	Column int    // from 1, in bytes
	Reason string // if the original would have taken the document
}

func (e *Syntax) Error() string {
	text := fmt.Sprintf("Invalid JSON value: %s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", e.Doc, e.Line, e.Column)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Parse checks doc and returns its members in order; of a name given twice the
// last value stands. A blank document and null are the empty object. The error
// is *Syntax or *NotObject.
func Parse(doc []byte) ([]Member, error) {
	members, _, err := parse(doc)
	return members, err
}

// Plain checks doc as [Parse] does and returns it as RFC 8259 defines JSON: as it
// came, if it is so, else made anew.
func Plain(doc []byte) ([]byte, error) {
	members, odd, err := parse(doc)
	if err != nil {
		return nil, err
	}
	if odd || len(members) == 0 {
		return Append(nil, members), nil
	}
	return doc, nil
}

func parse(doc []byte) (members []Member, odd bool, err error) {
	s := &scanner{doc: doc}
	if bytes.HasPrefix(doc, []byte("\ufeff")) {
		s.pos, s.odd = len("\ufeff"), true
	}
	if s.blanks(); s.pos == len(doc) {
		return nil, s.odd, nil
	}
	if s.peek() == '{' {
		members = s.object()
	} else {
		err = s.notObject()
	}
	if s.err == nil && err == nil {
		if s.blanks(); s.pos < len(doc) {
			s.odd = true // what follows the object is passed over, as in the original
		}
	}
	if s.err != nil {
		return nil, false, s.err
	}
	return members, s.odd, err
}

type scanner struct {
	doc   []byte
	pos   int
	depth int
	odd   bool // what came is not quite JSON
	err   error
}

// maxQuoted bounds how much of a bad document an error repeats: it must fit into
// the headers of a response, in which a byte may take three.
const maxQuoted = 2000

// failAt ends the scan with an error at a byte of the document.
func (s *scanner) failAt(pos int) { s.fail(pos, 0, "") }

// refuse ends it at the next byte, for a reason of our own.
func (s *scanner) refuse(reason string) { s.fail(s.pos, 0, reason) }

// fail ends the scan in the line of a byte, some columns after it.
func (s *scanner) fail(pos, after int, reason string) {
	if s.err != nil {
		return
	}
	e := &Syntax{Doc: string(s.doc), Line: 1, Reason: reason}
	start := 0
	for i, c := range s.doc[:min(pos, len(s.doc))] {
		if c == '\n' || c == '\r' {
			if start = i + 1; c == '\r' || i == 0 || s.doc[i-1] != '\r' {
				e.Line++
			}
		}
	}
	e.Column = pos - start + 1 + after
	if len(e.Doc) > maxQuoted {
		e.Doc = string(bytes.ToValidUTF8(s.doc[:maxQuoted], nil)) + "…"
	}
	s.err = e
	s.pos = len(s.doc)
}

// unexpected ends the scan at what comes next: control characters are read
// before they are refused.
func (s *scanner) unexpected() {
	if s.pos < len(s.doc) && s.doc[s.pos] < ' ' {
		s.failAt(s.pos + 1)
	}
	s.failAt(s.pos)
}

// notObject checks a root that is no object; what comes after it is not looked
// at, except after null, which means the empty object.
func (s *scanner) notObject() error {
	first, text := s.peek(), s.value(nil)
	if s.err != nil {
		return s.err
	}
	switch first {
	case 'n':
		return nil
	case '[':
		return &NotObject{Type: "ARRAY"}
	case '"', '\'':
		return &NotObject{Type: "STRING"}
	case 't', 'f':
		return &NotObject{Type: "BOOLEAN"}
	}
	if s.pos < len(s.doc) && !isBlank(s.doc[s.pos]) {
		s.failAt(s.pos)
		return s.err
	}
	if bytes.ContainsAny(text, ".eE") {
		return &NotObject{Type: "FLOAT"}
	}
	return &NotObject{Type: "INTEGER"}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (s *scanner) blanks() {
	for s.pos < len(s.doc) && isBlank(s.doc[s.pos]) {
		s.pos++
	}
}

// peek is the next byte that is no blank, 0 at the end.
func (s *scanner) peek() byte {
	s.blanks()
	if s.pos < len(s.doc) {
		return s.doc[s.pos]
	}
	return 0
}

func (s *scanner) expect(c byte) bool {
	if s.peek() != c {
		s.unexpected()
		return false
	}
	s.pos++
	return true
}

// object scans the root object.
func (s *scanner) object() []Member {
	s.pos++
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	var list memberList
	for s.err == nil {
		name := s.name()
		if s.err != nil || !s.expect(':') {
			return nil
		}
		s.depth = 1
		list.set(name, s.value(nil))
		if s.peek() != ',' {
			s.expect('}')
			return list.members
		}
		s.pos++
	}
	return nil
}

// memberList finds a name again without looking at all when there are many.
type memberList struct {
	members []Member
	at      map[string]int
}

// few is how many members are looked through.
const few = 16

func (l *memberList) set(name string, value []byte) {
	if i := l.find(name); i >= 0 {
		l.members[i].Value = value
		return
	}
	l.members = append(l.members, Member{Name: name, Value: value})
	if l.at != nil {
		l.at[name] = len(l.members) - 1
	}
}

func (l *memberList) find(name string) int {
	if len(l.members) > few && l.at == nil {
		l.at = make(map[string]int, 2*len(l.members))
		for i := range l.members {
			l.at[l.members[i].Name] = i
		}
	}
	if l.at != nil {
		if i, ok := l.at[name]; ok {
			return i
		}
		return -1
	}
	for i := range l.members {
		if l.members[i].Name == name {
			return i
		}
	}
	return -1
}

// name scans the name of a member of the root.
func (s *scanner) name() string {
	text := s.nameText(nil)
	if s.err != nil {
		return ""
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var name string
	if err := json.Unmarshal(text, &name); err != nil { // cannot be: it was scanned
		s.refuse("bad name")
	}
	return name
}

func (s *scanner) nameText(out []byte) []byte {
	switch s.peek() {
	case '"', '\'':
		return s.text(out)
	}
	s.failAt(s.pos + max(runeLen(s.doc[s.pos:])-1, 0))
	return out
}

func runeLen(b []byte) int {
	_, n := utf8.DecodeRune(b)
	return n
}

// value appends the compact text of the value that comes next.
func (s *scanner) value(out []byte) []byte {
	switch c := s.peek(); {
	case c == '{' || c == '[':
		return s.nested(out, c)
	case c == '"' || c == '\'':
		return s.text(out)
	case c == 't':
		return s.word(out, "true")
	case c == 'f':
		return s.word(out, "false")
	case c == 'n':
		return s.word(out, "null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number(out)
	}
	s.noValue()
	return out
}

func (s *scanner) word(out []byte, w string) []byte {
	if rest := s.doc[s.pos:]; !bytes.HasPrefix(rest, []byte(w)) || identifier(rest) > len(w) {
		s.noValue()
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
		s.refuse(fmt.Sprintf("nested more than %d levels deep", MaxDepth))
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
			if out = s.nameText(out); s.err != nil || !s.expect(':') {
				return out
			}
			out = append(out, ':')
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
