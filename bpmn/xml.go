package bpmn

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of what one resource may hold. They are far above any model that is
// drawn or generated and keep a hostile one from costing more than its bytes.
const (
	maxDepth      = 256     // nested elements
	maxNodes      = 250_000 // elements of one document that are kept
	maxAttributes = 1024    // of one element
	maxBindings   = 128     // namespace declarations in force at one place
)

// fault is a document that cannot be read: not well-formed (fatal) or against
// the schema. Its text is that of the original's XML parser.
type fault struct {
	kind string // "Fatal Error", "Error"; empty: only the text is shown
	line int
	text string
}

func (f *fault) Error() string {
	if f.kind == "" {
		return f.text
	}
	return fmt.Sprintf("%s: URI=null Line=%d: %s", f.kind, f.line, f.text)
}

// scanner reads XML 1.0 with namespaces: no DOCTYPE, no entities but the five
// of XML itself. It keeps no more than the stack of open elements.
type scanner struct {
	src       string
	pos       int
	linePos   int // up to where line is counted
	line      int
	open      []string // qualified names of the open elements
	bindings  []binding
	bound     []int // len(bindings) before each open element
	attrs     []attr
	seen      map[string]struct{}
	selfClose bool
}

type binding struct{ prefix, uri string }

// attr is an attribute; space is the namespace's name, empty for none.
type attr struct{ space, name, value string }

func newScanner(src string) *scanner { return &scanner{src: src, line: 1} }

// at gives the line of the position, which must not go back.
func (s *scanner) at() int {
	s.line += strings.Count(s.src[s.linePos:s.pos], "\n")
	s.linePos = s.pos
	return s.line
}

func (s *scanner) fatal(format string, args ...any) *fault {
	if s.pos > len(s.src) {
		s.pos = len(s.src)
	}
	return &fault{"Fatal Error", s.at(), fmt.Sprintf(format, args...)}
}

func (s *scanner) rest() string { return s.src[s.pos:] }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (s *scanner) skipSpace() {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
}

// nameStart and nameChar are the classes of XML 1.0 (fifth edition, [4] and [4a]).
func nameStart(r rune) bool {
	switch {
	case r < 0x80:
		return r == ':' || r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	case r == utf8.RuneError, r == 0xD7, r == 0xF7, r < 0xC0, r >= 0x300 && r < 0x370, r == 0x37E:
		return false
	case r >= 0x2000 && r < 0x2070:
		return r == 0x200C || r == 0x200D
	case r >= 0x2190 && r < 0x2C00, r >= 0x2FF0 && r < 0x3001, r >= 0xD800 && r < 0xF900:
		return false
	}
	return r < 0xFDD0 || r > 0xFDEF && r < 0xFFFE || r > 0xFFFF && r < 0xF0000
}

func nameChar(r rune) bool {
	return nameStart(r) || r == '-' || r == '.' || r >= '0' && r <= '9' || r == 0xB7 ||
		r >= 0x300 && r < 0x370 || r == 0x203F || r == 0x2040
}

// name reads a qualified name, "" if none stands here.
func (s *scanner) name() string {
	from := s.pos
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			s.pos++
			continue
		}
		r, n := utf8.DecodeRuneInString(s.rest())
		if !nameChar(r) || s.pos == from && !nameStart(r) {
			break
		}
		s.pos += n
	}
	return s.src[from:s.pos]
}

// skipMisc steps over a comment or processing instruction that starts here,
// and says whether there was one.
func (s *scanner) skipMisc() (bool, error) {
	switch r := s.rest(); {
	case strings.HasPrefix(r, "<!--"):
		return true, s.comment()
	case strings.HasPrefix(r, "<?"):
		return true, s.instruction()
	}
	return false, nil
}

func (s *scanner) comment() error {
	s.pos += len("<!--")
	if err := s.skipTo("--", "comment"); err != nil {
		return err
	}
	if s.pos >= len(s.src) || s.src[s.pos] != '>' {
		return s.fatal(`The string "--" is not permitted within comments.`)
	}
	s.pos++
	return nil
}

func (s *scanner) instruction() error {
	s.pos += len("<?")
	switch target := s.name(); {
	case target == "":
		return s.fatal("The processing instruction must begin with the name of the target.")
	case strings.EqualFold(target, "xml"):
		return s.fatal(`The processing instruction target matching "[xX][mM][lL]" is not allowed.`)
	}
	return s.skipTo("?>", "processing instruction")
}

// skipTo steps behind the end of what is named.
func (s *scanner) skipTo(end, what string) error {
	n := strings.Index(s.rest(), end)
	if n < 0 {
		return s.unfinished()
	}
	if err := s.checkChars(s.src[s.pos:s.pos+n], what); err != nil {
		return err
	}
	s.pos += n + len(end)
	return nil
}

// unfinished is a document that ends in the midst of something.
func (s *scanner) unfinished() error {
	s.pos = len(s.src)
	return s.fatal("XML document structures must start and end within the same entity.")
}

// checkChars refuses characters that XML does not have.
func (s *scanner) checkChars(t, where string) error {
	for i := 0; i < len(t); i++ {
		if c := t[i]; c < 0x20 && !isSpace(c) || c == 0xEF {
			r, _ := utf8.DecodeRuneInString(t[i:])
			if c < 0x20 || r == 0xFFFE || r == 0xFFFF {
				return s.fatal("An invalid XML character (Unicode: 0x%x) was found in the %s.", r, where)
			}
		}
	}
	return nil
}

// uri resolves a prefix; the empty prefix without a declaration is no namespace.
func (s *scanner) uri(prefix string) (string, bool) {
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if s.bindings[i].prefix == prefix {
			return s.bindings[i].uri, true
		}
	}
	switch prefix {
	case "":
		return "", true
	case "xml":
		return xmlSpace, true
	}
	return "", false
}

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

// split parts a qualified name. A colon at either end, or a second one, makes
// the whole a prefix that cannot be bound.
func split(qname string) (prefix, local string) {
	if i := strings.IndexByte(qname, ':'); i >= 0 {
		return qname[:i], qname[i+1:]
	}
	return "", qname
}
