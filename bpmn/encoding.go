package bpmn

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode gives the document as UTF-8, and how many bytes of it the XML
// declaration takes. Known encodings: UTF-8, UTF-16, US-ASCII, ISO-8859-1.
func decode(doc []byte) (text string, declaration int, err error) {
	switch {
	case bytes.HasPrefix(doc, []byte{0xEF, 0xBB, 0xBF}):
		doc = doc[3:]
	case bytes.HasPrefix(doc, []byte{0xFE, 0xFF}):
		doc = fromUTF16(doc[2:], binary.BigEndian)
	case bytes.HasPrefix(doc, []byte{0xFF, 0xFE}):
		doc = fromUTF16(doc[2:], binary.LittleEndian)
	case bytes.HasPrefix(doc, []byte{0, '<', 0, '?'}):
		doc = fromUTF16(doc, binary.BigEndian)
	case bytes.HasPrefix(doc, []byte{'<', 0, '?', 0}):
		doc = fromUTF16(doc, binary.LittleEndian)
	}
	declaration, encoding, err := readDeclaration(doc)
	if err != nil {
		return "", 0, err
	}
	switch strings.ToUpper(encoding) {
	case "", "UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE":
		if n := invalidUTF8(doc); n >= 0 {
			return "", 0, &fault{text: "Invalid byte 1 of 1-byte UTF-8 sequence."}
		}
	case "US-ASCII", "ASCII", "ISO-8859-1", "ISO8859-1", "LATIN1":
		doc = fromLatin1(doc)
	default:
		return "", 0, &fault{text: encoding}
	}
	return string(doc), declaration, nil
}

func invalidUTF8(doc []byte) int {
	if utf8.Valid(doc) {
		return -1
	}
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func fromUTF16(doc []byte, order binary.ByteOrder) []byte {
	out := make([]byte, 0, len(doc))
	for len(doc) >= 2 {
		r := rune(order.Uint16(doc))
		doc = doc[2:]
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if len(doc) >= 2 {
				low = rune(order.Uint16(doc))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				doc = doc[2:]
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

func fromLatin1(doc []byte) []byte {
	out := make([]byte, 0, len(doc)+8)
	for _, c := range doc {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// readDeclaration reads <?xml version="1.0" encoding="…" standalone="…"?>.
func readDeclaration(doc []byte) (length int, encoding string, err error) {
	if !bytes.HasPrefix(doc, []byte("<?xml")) || len(doc) < 6 || !isSpace(doc[5]) {
		return 0, "", nil
	}
	end := bytes.Index(doc, []byte("?>"))
	if end < 0 {
		return 0, "", &fault{"Fatal Error", 1, "XML document structures must start and end within the same entity."}
	}
	if end > 512 {
		return 0, "", &fault{"Fatal Error", 1, "The XML declaration must end with \"?>\"."}
	}
	s := newScanner("<xml" + string(doc[5:end]) + "/>")
	s.pos = 4
	if err := s.attributes("xml"); err != nil {
		return 0, "", err
	}
	encoding, err = declaredEncoding(s.attrs)
	return end + 2, encoding, err
}

func declaredEncoding(attrs []attr) (encoding string, err error) {
	if len(attrs) == 0 || attrs[0].name != "version" {
		return "", &fault{"Fatal Error", 1, `The version is required in the XML declaration.`}
	}
	if v := attrs[0].value; v != "1.0" {
		return "", &fault{"Fatal Error", 1, fmt.Sprintf(`XML version "%s" is not supported, only XML 1.0 is supported.`, v)}
	}
	for _, a := range attrs[1:] {
		switch a.name {
		case "encoding":
			encoding = a.value
		case "standalone":
		default:
			return "", &fault{"Fatal Error", 1, `The XML declaration must end with "?>".`}
		}
	}
	return encoding, nil
}
