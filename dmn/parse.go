package dmn

import (
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// Invalid says why a resource is refused. Its text is the block of the
// resource in the answer to a deployment, as the original words it: the quoted
// name of the resource, then what is wrong, one line each.
type Invalid struct {
	text string
	// Detail says what exactly breaks the schema, where the original's text
	// only says that something does; else it is empty.
	Detail string
}

// Error gives the block of the resource.
func (e *Invalid) Error() string { return e.text }

// unreadable is the original's text for whatever breaks the schema.
const unreadable = "Failed to parse DMN: org.camunda.bpm.model.dmn.DmnModelException: Unable to parse model"

// Parse reads and checks the DMN resource of this name. The error is *Invalid
// when the model is at fault; there is no other.
func Parse(resource string, xml []byte) (*Model, error) {
	root, err := read(xml)
	if err == nil {
		err = checkSchema(root)
	}
	if err != nil {
		return nil, &Invalid{text: "'" + resource + "': " + unreadable, Detail: err.Error()}
	}
	b := newBuilder(root)
	m := b.model(root)
	if len(b.wrong) > 0 {
		return nil, &Invalid{text: "'" + resource + "': " + report(b.wrong)}
	}
	m.Size = b.size
	return m, nil
}

// report gives the lines of a refusal, those that fit.
func report(wrong []string) string {
	return cut(strings.Join(wrong, "\n"), maxReport)
}

// cut bounds a text, in bytes.
func cut(t string, most int) string {
	if len(t) <= most {
		return t
	}
	return strings.ToValidUTF8(t[:most], "") + "…"
}

// compile compiles an expression. If it is none, it may be one in which names
// with blanks stand as they are.
func (b *builder) compile(src string) *feel.Expression {
	b.size += sizePerExpression + 4*len(src)
	e, err := feel.Compile(src)
	if err == nil {
		return e
	}
	if quoted, ok := b.quote(src); ok {
		if e, err := feel.Compile(quoted); err == nil {
			return e
		}
	}
	b.fail("FEEL expression: " + err.Error())
	return nil
}

// compileTests compiles the cell of a table, nil for one that is always fulfilled.
func (b *builder) compileTests(src string) *feel.UnaryTests {
	if t := strings.TrimSpace(src); t == "" || t == "-" {
		return nil
	}
	b.size += sizePerExpression + 4*len(src)
	t, err := feel.CompileUnaryTests(src)
	if err == nil {
		return t
	}
	if quoted, ok := b.quote(src); ok {
		if t, err := feel.CompileUnaryTests(quoted); err == nil {
			return t
		}
	}
	b.fail("FEEL unary-tests: " + err.Error())
	return nil
}

// quote puts the names with blanks into backquotes, and says whether there are
// any. It looks at maxQuoted bytes in all.
func (b *builder) quote(src string) (string, bool) {
	if b.looked += len(src); len(b.names) == 0 || b.looked > maxQuoted {
		return "", false
	}
	quoted := b.names.quote(src)
	return quoted, quoted != src
}
