package feel

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds how deep lists and contexts may be nested in a document.
const maxJSONDepth = 1000

// FromJSON reads one JSON document. Numbers become exact decimals, except that
// one with a point or an exponent is scaled as if read as a double (1.10 is
// 1.1 and 1e3 is 1000.0 for the string function); members keep their order,
// of two with the same name the last counts.
func FromJSON(doc []byte) (Value, error) {
	d := jsonDecoder{doc: doc}
	v := d.value(0)
	d.blanks()
	if d.err == nil && d.pos < len(doc) {
		d.fail("text after the value")
	}
	if d.err != nil {
		return nil, d.err
	}
	return v, nil
}

type jsonDecoder struct {
	doc []byte
	pos int
	err error
}

func (d *jsonDecoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("read JSON: %s at offset %d", what, d.pos)
	}
}

func (d *jsonDecoder) blanks() {
	for d.pos < len(d.doc) {
		switch d.doc[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *jsonDecoder) peek() byte {
	if d.pos < len(d.doc) {
		return d.doc[d.pos]
	}
	return 0
}

// value reads a value; after an error the result means nothing.
func (d *jsonDecoder) value(depth int) Value {
	d.blanks()
	switch c := d.peek(); {
	case depth > maxJSONDepth:
		d.fail("nested too deeply")
	case c == '"':
		return String(d.text())
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '-' || isDigit(c):
		return d.number()
	case d.word("true"):
		return Bool(true)
	case d.word("false"):
		return Bool(false)
	case d.word("null"):
		return null
	default:
		d.fail("no value")
	}
	return null
}

func (d *jsonDecoder) word(w string) bool {
	if end := d.pos + len(w); end <= len(d.doc) && string(d.doc[d.pos:end]) == w {
		d.pos = end
		return true
	}
	return false
}

func (d *jsonDecoder) object(depth int) Value {
	d.pos++
	c := &Context{}
	if d.blanks(); d.peek() == '}' {
		d.pos++
		return c
	}
	for d.err == nil {
		if d.blanks(); d.peek() != '"' {
			d.fail("no member name")
			break
		}
		key := d.text()
		if d.blanks(); d.peek() != ':' {
			d.fail("no ':'")
			break
		}
		d.pos++
		c.Put(key, d.value(depth+1))
		if d.blanks(); !d.more('}') {
			break
		}
	}
	return c
}

// more says whether a comma follows; otherwise there must be the end.
func (d *jsonDecoder) more(end byte) bool {
	c := d.peek()
	if d.err != nil || c != ',' && c != end {
		d.fail("no ',' or end")
		return false
	}
	d.pos++
	return c == ','
}

func (d *jsonDecoder) array(depth int) Value {
	d.pos++
	l := List{}
	if d.blanks(); d.peek() == ']' {
		d.pos++
		return l
	}
	for d.err == nil {
		l = append(l, d.value(depth+1))
		if d.blanks(); !d.more(']') {
			break
		}
	}
	return l
}

func (d *jsonDecoder) number() Value {
	start, whole := d.pos, true
	for ; d.pos < len(d.doc); d.pos++ {
		switch c := d.doc[d.pos]; {
		case isDigit(c) || c == '-' || c == '+':
		case c == '.' || c == 'e' || c == 'E':
			whole = false
		default:
			return d.numberOf(d.doc[start:d.pos], whole)
		}
	}
	return d.numberOf(d.doc[start:d.pos], whole)
}

func (d *jsonDecoder) numberOf(text []byte, whole bool) Value {
	n, ok := parseDecimal(text)
	if ok && !whole && (n.big == nil || n.big.NumDigits() <= 17) {
		n, ok = n.asDouble()
	}
	if !ok {
		d.fail("number not understood or out of range")
	}
	return n
}

// text reads a string; d is at its opening quote.
func (d *jsonDecoder) text() string {
	d.pos++
	start := d.pos
	for d.pos < len(d.doc) {
		switch c := d.doc[d.pos]; {
		case c == '"':
			d.pos++
			return string(d.doc[start : d.pos-1])
		case c == '\\' || c >= utf8.RuneSelf:
			return d.escapedText(start)
		case c < ' ':
			d.fail("control character in a string")
			return ""
		}
		d.pos++
	}
	d.fail("string without end")
	return ""
}

// escapedText reads on from the first character that needs more than a copy.
func (d *jsonDecoder) escapedText(start int) string {
	b := append([]byte(nil), d.doc[start:d.pos]...)
	for d.pos < len(d.doc) && d.err == nil {
		switch c := d.doc[d.pos]; {
		case c == '"':
			d.pos++
			return string(b)
		case c == '\\':
			d.pos++
			b = d.escape(b)
		case c < ' ':
			d.fail("control character in a string")
		case c < utf8.RuneSelf:
			b = append(b, c)
			d.pos++
		default:
			r, n := utf8.DecodeRune(d.doc[d.pos:])
			b = utf8.AppendRune(b, r)
			d.pos += n
		}
	}
	d.fail("string without end")
	return ""
}

var jsonEscapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (d *jsonDecoder) escape(b []byte) []byte {
	c := d.peek()
	d.pos++
	if c == 'u' {
		r := d.hex4()
		if utf16.IsSurrogate(r) {
			r = d.surrogate(r)
		}
		return utf8.AppendRune(b, r)
	}
	e, ok := jsonEscapes[c]
	if !ok {
		d.fail("unknown escape")
	}
	return append(b, e)
}

// surrogate reads the second half; a half alone becomes '?', which is what
// the original's encoding makes of it.
func (d *jsonDecoder) surrogate(first rune) rune {
	if !d.word(`\u`) {
		return '?'
	}
	if r := utf16.DecodeRune(first, d.hex4()); r != utf8.RuneError {
		return r
	}
	d.pos -= 6
	return '?'
}

func (d *jsonDecoder) hex4() rune {
	if d.pos+4 > len(d.doc) {
		d.fail("short \\u escape")
		return 0
	}
	var r rune
	for _, c := range d.doc[d.pos : d.pos+4] {
		switch {
		case isDigit(c):
			r = r<<4 + rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 + rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 + rune(c-'A'+10)
		default:
			d.fail("bad \\u escape")
		}
	}
	d.pos += 4
	return r
}
