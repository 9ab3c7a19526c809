package bpmn_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/grevy-io/grevy/bpmn"
)

// wrap makes a document of what stands in an executable process.
func wrap(inside string) string {
	return "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' targetNamespace='t'>" +
		"<process id='p' isExecutable='true'><startEvent id='s'/>" + inside + "</process></definitions>"
}

func refusal(t testing.TB, xml string) string {
	t.Helper()
	_, err := bpmn.Parse("r.bpmn", []byte(xml))
	if err == nil {
		return ""
	}
	if _, ok := err.(*bpmn.Invalid); !ok {
		t.Fatalf("error is a %T", err)
	}
	return err.Error()
}

// TestNotWellFormed: documents that are no XML 1.0 with namespaces, and some
// odd ones that are (wanted: nothing).
func TestNotWellFormed(t *testing.T) {
	deep := "<extensionElements xmlns:o='urn:x'>" + strings.Repeat("<o:a>", 300)
	for _, c := range []struct{ name, xml, want string }{
		{"comment", wrap("<!-- a - b -->"), ""},
		{"comment with two hyphens", wrap("<!-- a -- b -->"), `The string "--" is not permitted within comments.`},
		{"comment without end", wrap("<!-- a"), "must start and end within the same entity"},
		{"processing instruction", wrap("<?target a='b'?>"), ""},
		{"second declaration", wrap("<?xml version='1.0'?>"), `matching "[xX][mM][lL]" is not allowed.`},
		{"CDATA", wrap("<task id='t'><documentation>a<![CDATA[<&]]>b</documentation></task>"), ""},
		{"CDATA without end", wrap("<task id='t'><documentation><![CDATA[x"), "must start and end within the same entity"},
		{"end of CDATA in text", wrap("<task id='t'><documentation>]]></documentation></task>"), `The character sequence "]]>" must not appear`},
		{"references", wrap("<task id='t' name='&lt;&#x41;&#66;&apos;&quot;'/>"), ""},
		{"unknown entity", wrap("<task id='t' name='&nbsp;'/>"), `The entity "nbsp" was referenced, but not declared.`},
		{"unfinished entity", wrap("<task id='t' name='&amp'/>"), `The reference to entity "amp" must end with the ';' delimiter.`},
		{"bare ampersand", wrap("<task id='t' name='a & b;'/>"), "The entity name must immediately follow the '&'"},
		{"reference to nothing", wrap("<task id='t' name='&#0;'/>"), `Character reference "&#0" is an invalid XML character.`},
		{"reference beyond", wrap("<task id='t' name='&#x110000;'/>"), `Character reference "&#x110000" is an invalid XML character.`},
		{"control character", wrap("<task id='t' name='\x01'/>"), "An invalid XML character (Unicode: 0x1) was found in the value of attribute"},
		{"less-than in attribute", wrap("<task id='t' name='<'/>"), `must not contain the '<' character.`},
		{"attribute twice", wrap("<task id='t' id='u'/>"), `Attribute "id" was already specified for element "task".`},
		{"attribute without value", wrap("<task id/>"), `Attribute name "id" associated with an element type "task" must be followed by the ' = ' character.`},
		{"attribute without quotes", wrap("<task id=t/>"), `Open quote is expected for attribute "id"`},
		{"attributes without blank", wrap("<task id='t'name='n'/>"), `Element type "task" must be followed by either attribute specifications, ">" or "/>".`},
		{"prefix of attribute", wrap("<task id='t' q:a='1'/>"), `The prefix "q" for attribute "q:a" associated with an element type "task" is not bound.`},
		{"prefix of element", wrap("<q:task id='t'/>"), `The prefix "q" for element "q:task" is not bound.`},
		{"two colons", wrap("<task xmlns:q='x' q:r:s='1' id='t'/>"), "is not bound."},
		{"empty prefix declaration", wrap("<task xmlns:q='' id='t'/>"), "may not be empty"},
		{"default namespace undone", wrap("<task xmlns='' id='t'/>"), "cvc-complex-type.2.4.a"},
		{"wrong end", wrap("<task id='t'></tasks>"), `must be terminated by the matching end-tag "</task>".`},
		{"end with attribute", wrap("<task id='t'></task a='b'>"), `The end-tag for element type "task" must end with a '>' delimiter.`},
		{"no end", strings.TrimSuffix(wrap(""), "</definitions>"), "must start and end within the same entity"},
		{"second root", wrap("") + "<a/>", "The markup in the document following the root element must be well-formed."},
		{"only a comment", "<!-- -->", "Premature end of file."},
		{"doctype", "<!DOCTYPE x>" + wrap(""), "DOCTYPE is disallowed"},
		{"element of no name", wrap("< a/>"), "must consist of well-formed character data or markup."},
		{"too deep", wrap("<task id='t'>" + deep), "nested more than 256 levels"},
		{"version", "<?xml version='2.0'?>" + wrap(""), `XML version "2.0" is not supported`},
		{"no version", "<?xml encoding='UTF-8'?>" + wrap(""), "The version is required"},
	} {
		got := refusal(t, c.xml)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if got != "" && !strings.HasPrefix(got, "'r.bpmn': ") {
			t.Errorf("%s: %q does not start with the resource", c.name, got)
		}
	}
}

func TestLineOfAFault(t *testing.T) {
	for want, xml := range map[string]string{
		"'r.bpmn': Fatal Error: URI=null Line=3: ": "\n\n<a &>",
		"'r.bpmn': Error: URI=null Line=4: ":       wrap("\n\n<!--\n--><nothing/>"),
	} {
		if got := refusal(t, xml); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEncodings(t *testing.T) {
	doc := wrap("<task id='t' name='über 🙂'/>")
	utf16With := func(order binary.AppendByteOrder, text string) string {
		var out []byte
		for _, u := range utf16.Encode([]rune(text)) {
			out = order.AppendUint16(out, u)
		}
		return string(out)
	}
	name := func(xml string) string {
		m, err := bpmn.Parse("r.bpmn", []byte(xml))
		if err != nil {
			return err.Error()
		}
		return m.Processes[0].Element("t").Name
	}
	for what, xml := range map[string]string{
		"UTF-8":               doc,
		"UTF-8 with a mark":   "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>" + doc,
		"UTF-16 big endian":   utf16With(binary.BigEndian, "\uFEFF<?xml version='1.0' encoding='UTF-16'?>"+doc),
		"UTF-16 small endian": utf16With(binary.LittleEndian, "\uFEFF"+doc),
		"UTF-16 without mark": utf16With(binary.LittleEndian, "<?xml version='1.0' encoding='UTF-16LE'?>"+doc),
	} {
		equal(t, what, name(xml), "über 🙂")
	}
	latin := "<?xml version='1.0' encoding='ISO-8859-1'?>" + wrap("<task id='t' name='\xFCber'/>")
	equal(t, "Latin 1", name(latin), "über")
	for what, xml := range map[string]string{
		"Invalid byte": wrap("<task id='t' name='\xFC'/>"),
		"windows-1252": "<?xml version='1.0' encoding='windows-1252'?>" + doc,
	} {
		if got := refusal(t, xml); !strings.Contains(got, what) {
			t.Errorf("got %q, want %q", got, what)
		}
	}
}
