package dmn_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
)

const unreadable = "Failed to parse DMN: org.camunda.bpm.model.dmn.DmnModelException: Unable to parse model"

// one makes a decision of a literal expression.
func one(id, expr string, inside ...string) string {
	return `<decision id="` + id + `" name="N">` + strings.Join(inside, "") + `<literalExpression><text>` + escaped(expr) + `</text></literalExpression></decision>`
}

func requires(kind, id string) string {
	requirement := map[string]string{"Decision": "information", "Input": "information", "Knowledge": "knowledge"}[kind]
	return `<` + requirement + `Requirement><required` + kind + ` href="` + id + `"/></` + requirement + `Requirement>`
}

// aTable is a table whose parts stand in the order input, output, rule.
func aTable(attrs string, parts ...string) string {
	return `<decision id="d" name="T"><decisionTable ` + attrs + `>` + strings.Join(parts, "") + `</decisionTable></decision>`
}

const (
	inputA  = `<input id="i1"><inputExpression><text>a</text></inputExpression></input>`
	outputR = `<output id="o1" name="r"/>`
	ruleOne = `<rule id="r1"><inputEntry><text>1</text></inputEntry><outputEntry><text>2</text></outputEntry></rule>`
)

func TestAccepted(t *testing.T) {
	for name, body := range map[string]string{
		"input data alone":       `<inputData id="in" name="i"/>`,
		"no hash":                one("a", "1") + one("b", "1", requires("Decision", "a")),
		"required twice":         one("a", "1") + one("b", "1", requires("Decision", "#a"), requires("Decision", "#a")),
		"input unknown":          one("d", "1", requires("Input", "#nope")),
		"table without inputs":   aTable(``, outputR, `<rule><outputEntry><text>2</text></outputEntry></rule>`),
		"table without rules":    aTable(``, inputA, outputR),
		"too many cells":         aTable(``, outputR, ruleOne),
		"dash":                   aTable(``, inputA, outputR, strings.Replace(ruleOne, "1</text>", "-</text>", 1)),
		"priority without order": aTable(`hitPolicy="PRIORITY"`, inputA, outputR, ruleOne),
		"empty relation":         `<decision id="d" name="C"><relation><column name="a"/></relation></decision>`,
		"model without logic":    `<businessKnowledgeModel id="b" name="b"/>` + one("d", "1", requires("Knowledge", "#b")),
		"FEEL by its URI":        `<decision id="d" name="N"><literalExpression expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/"><text>1</text></literalExpression></decision>`,
		"decision service":       `<decisionService id="s" name="s"><outputDecision href="#d"/></decisionService>` + one("d", "1"),
		"foreign extension":      `<decision id="d" name="N"><extensionElements><x:y xmlns:x="z"><x:z/></x:y></extensionElements><literalExpression><text>1</text></literalExpression></decision>`,
	} {
		if _, err := dmn.Parse("r.dmn", document(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, space := range []string{"http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20180521/MODEL/", "https://www.omg.org/spec/DMN/20211108/MODEL/", "https://www.omg.org/spec/DMN/20230324/MODEL/"} {
		src := "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + strings.Replace(string(document(one("d", "1"))), "https://www.omg.org/spec/DMN/20191111/MODEL/", space, 1)
		if _, err := dmn.Parse("r.dmn", []byte(src)); err != nil {
			t.Errorf("%s: %v", space, err)
		}
	}
}

func TestRefused(t *testing.T) {
	literalWith := func(attrs string) string {
		return `<decision id="d" name="N"><literalExpression ` + attrs + `><text>1</text></literalExpression></decision>`
	}
	for _, c := range []struct{ name, body, want string }{
		{"no id", `<decision name="N"><literalExpression><text>1</text></literalExpression></decision>`, "Expected the decision 'N' to have an id"},
		{"empty name", `<decision id="d" name=""><literalExpression><text>1</text></literalExpression></decision>`, "Expected the decision 'd' to have a name"},
		{"empty id", one("", "1"), unreadable},
		{"id used twice", one("a", "1") + one("a", "1"), unreadable},
		{"no name", `<decision id="d"><literalExpression><text>1</text></literalExpression></decision>`, unreadable},
		{"unknown element", `<thing id="x"/>`, unreadable},
		{"order of elements", `<decision id="d" name="N"><literalExpression><text>1</text></literalExpression><variable name="d"/></decision>`, unreadable},
		{"two expressions", `<decision id="d" name="N"><list/><list/></decision>`, unreadable},
		{"boxed iterator", `<decision id="d" name="N"><for/></decision>`, unreadable},
		{"conditional without else", `<decision id="d" name="N"><conditional><if><list/></if><then><list/></then></conditional></decision>`, unreadable},
		{"service of nothing", `<decisionService id="s" name="s"><outputDecision href="#nope"/></decisionService>`, "Unable to find a model element instance for id nope"},
		{"service with unknown input", `<decisionService id="s" name="s"><inputData href="#nope"/></decisionService>`, "Unable to find a model element instance for id nope"},
		{"empty expression", one("d", ""), "FEEL expression: failed to parse expression '': "},
		{"equals sign", one("d", "=1"), "FEEL expression: failed to parse expression '=1': "},
		{"language", literalWith(`expressionLanguage="juel"`), "Expression language 'juel' is not supported"},
		{"unknown decision", one("d", "1", requires("Decision", "#nope")), "Unable to find a model element instance for id nope"},
		{"unknown knowledge", one("d", "1", requires("Knowledge", "#nope")), "Unable to find a model element instance for id nope"},
		{"requires itself", one("d", "1", requires("Decision", "#d")), "Invalid DMN model: Cyclic dependencies between decisions detected."},
		{"cycle of three", one("a", "1", requires("Decision", "#b")) + one("b", "1", requires("Decision", "#c")) + one("c", "1", requires("Decision", "#a")), "Invalid DMN model: Cyclic dependencies between decisions detected."},
		{"knowledge cycle", `<businessKnowledgeModel id="b" name="b"><encapsulatedLogic><literalExpression><text>1</text></literalExpression></encapsulatedLogic>` + requires("Knowledge", "#b") + `</businessKnowledgeModel>`, "Invalid DMN model: Cyclic dependencies between BKMs detected."},
		{"hit policy", aTable(`hitPolicy="SOMETIMES"`, inputA, outputR, ruleOne), unreadable},
		{"aggregation", aTable(`hitPolicy="COLLECT" aggregation="AVG"`, inputA, outputR, ruleOne), unreadable},
		{"no input expression", aTable(``, `<input id="i1"/>`, outputR, ruleOne), unreadable},
		{"no output", aTable(``, inputA), unreadable},
		{"no output entry", aTable(``, inputA, outputR, `<rule><inputEntry><text>1</text></inputEntry></rule>`), unreadable},
		{"input expression", aTable(``, strings.Replace(inputA, "a</text>", "a +</text>", 1), outputR, ruleOne), "FEEL expression: failed to parse expression 'a +': "},
		{"input entry", aTable(``, inputA, outputR, strings.Replace(ruleOne, "1</text>", "1 1</text>", 1)), "FEEL unary-tests: failed to parse expression '1 1': "},
		{"output entry", aTable(``, inputA, outputR, strings.Replace(ruleOne, "2</text>", "</text>", 1)), "FEEL expression: failed to parse expression '': "},
		{"default", aTable(``, inputA, `<output name="r"><defaultOutputEntry><text>1 +</text></defaultOutputEntry></output>`), "FEEL expression: failed to parse expression '1 +': "},
		{"outputs without names", aTable(``, inputA, `<output/><output/>`), "no output name defined for `null`\nno output name defined for `null`"},
		{"aggregated compound", aTable(`hitPolicy="COLLECT" aggregation="SUM"`, inputA, `<output name="a"/><output name="b"/>`), "hit policy 'COLLECT' with aggregator is not defined for compound output"},
		{"Java function", `<decision id="d" name="N"><functionDefinition kind="Java"><literalExpression><text>1</text></literalExpression></functionDefinition></decision>`, "functions of kind 'Java' are not supported"},
		{"row of a relation", `<decision id="d" name="N"><relation><column name="a"/><row/></relation></decision>`, "a row of a relation has 0 cells but there are 1 columns"},
		{"imported values", `<decision id="d" name="N"><literalExpression><importedValues/></literalExpression></decision>`, "imported values are not supported"},
	} {
		refused(t, c.name, document(c.body), c.want)
	}
}

func TestRefusedDocuments(t *testing.T) {
	good := string(document(one("d", "1")))
	for name, src := range map[string]string{
		"blank":         "  ",
		"no namespace":  `<definitions id="d" name="n" namespace="x"/>`,
		"other root":    strings.ReplaceAll(good, "definitions", "definition"),
		"no name":       strings.Replace(good, `name="n"`, "", 1),
		"empty id":      strings.Replace(good, `id="drg"`, `id=""`, 1),
		"unclosed":      strings.Replace(good, "</definitions>", "", 1),
		"text after":    good + "x",
		"two roots":     good + good,
		"doctype":       `<!DOCTYPE d [<!ENTITY e 'boo'>]>` + good,
		"entity":        strings.Replace(good, "1</text>", "&e;</text>", 1),
		"given twice":   strings.Replace(good, `name="N"`, `name="N" name="M"`, 1),
		"encoding":      `<?xml version="1.0" encoding="UTF-16"?>` + good,
		"invalid UTF-8": strings.Replace(good, "1</text>", "\"\xFF\"</text>", 1),
		"too deep":      strings.Replace(good, "<text>", strings.Repeat("<x:a xmlns:x='y'>", 300), 1),
		"attributes":    strings.Replace(good, `id="drg"`, manyAttributes(300), 1),
	} {
		refused(t, name, []byte(src), unreadable)
	}
	m, err := dmn.Parse("m.dmn", []byte(strings.Replace(good, `id="drg"`, "", 1)))
	if err != nil || m.ID != "n" {
		t.Errorf("definitions without id: %v %v", m, err)
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i) + `=""`)
	}
	return b.String()
}

// refused checks how a refusal begins, and that it is one of the resource.
func refused(t *testing.T, name string, src []byte, want string) {
	t.Helper()
	m, err := dmn.Parse("r.dmn", src)
	var invalid *dmn.Invalid
	if !errors.As(err, &invalid) || m != nil {
		t.Errorf("%s: got %v, want a refusal", name, err)
		return
	}
	if got := err.Error(); !strings.HasPrefix(got, "'r.dmn': "+want) {
		t.Errorf("%s: got %s\nwant %s", name, got, want)
	}
	if (want == unreadable) != (invalid.Detail != "") {
		t.Errorf("%s: detail %q", name, invalid.Detail)
	}
}

// TestManyFindings: a refusal tells of the first things that are wrong, and
// not of more than fit into it.
func TestManyFindings(t *testing.T) {
	var b strings.Builder
	for range 10_000 {
		b.WriteString(`<decision id="a` + strconv.Itoa(b.Len()) + `" name="N"><literalExpression><text>1 +</text></literalExpression></decision>`)
	}
	_, err := dmn.Parse("r.dmn", document(b.String()))
	if err == nil || len(err.Error()) > 13*1024 || !strings.HasPrefix(err.Error(), "'r.dmn': FEEL expression: failed to parse expression '1 +'") {
		t.Errorf("got %.300v", err)
	}
}

func TestModel(t *testing.T) {
	m, err := dmn.Parse("r.dmn", document(
		`<decision id="a" name="A one"><extensionElements><zeebe:versionTag value="v1"/></extensionElements><list/></decision>`+
			`<businessKnowledgeModel id="k" name="k"/>`+one("b", "1")))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "drg" || m.Name != "n" || m.Namespace != "x" || len(m.Decisions) != 2 || m.Size < 500 {
		t.Errorf("got %+v", m)
	}
	if a := m.Decision("a"); a != m.Decisions[0] || a.Name != "A one" || a.VersionTag != "v1" || a.Type != dmn.ListExpression {
		t.Errorf("got %+v", a)
	}
	if b := m.Decisions[1]; b.ID != "b" || b.VersionTag != "" || b.Type != dmn.LiteralExpression {
		t.Errorf("got %+v", b)
	}
	if m.Decision("k") != nil {
		t.Error("a knowledge model is no decision")
	}
	_, err = m.Evaluate("k", nil, nil)
	var missing *dmn.NotFound
	if !errors.As(err, &missing) || err.Error() != "Expected to evaluate decision 'k', but no decision found for id 'k'" {
		t.Errorf("got %v", err)
	}
}
