package dmn_test

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/feel"
)

func parse(t testing.TB, content []byte) *dmn.Model {
	t.Helper()
	m, err := dmn.Parse("r.dmn", content)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// evaluate gives the whole answer.
func evaluate(t testing.TB, m *dmn.Model, decision, variables string) *dmn.Evaluation {
	t.Helper()
	var vars feel.Vars
	if err := json.Unmarshal([]byte(variables), &vars); err != nil {
		t.Fatal(err)
	}
	e, err := m.Evaluate(decision, vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// outcome is the output, or "decision: message" of a failure.
func outcome(e *dmn.Evaluation) string {
	if e.Failure != nil {
		return e.Failure.DecisionID + ": " + e.Failure.Message
	}
	return string(asJSON(e.Output))
}

// told is the ids and outputs of what was evaluated.
func told(e *dmn.Evaluation) string {
	var out []string
	for _, x := range e.Evaluated {
		out = append(out, x.ID+"="+string(asJSON(x.Output)))
	}
	return strings.Join(out, " ")
}

// TestHitPolicies has what the recorded tables leave out.
func TestHitPolicies(t *testing.T) {
	rules := "\n> 0 | 1\n> 1 | 2\n> 2 | 3"
	failed := "d: Expected to evaluate decision 'd', but "
	for _, c := range []struct{ table, variables, want string }{
		{"C\nin x\nout r" + rules, `{"x": 2}`, `[1,2]`},
		{"C\nin x\nout r" + rules, `{"x": 0}`, `null`},
		{"C+\nin x\nout r" + rules, `{"x": 3}`, `6`},
		{"C<\nin x\nout r" + rules, `{"x": 3}`, `1`},
		{"C#\nin x\nout r\n- | 1\n- | 1\n- | \"a\"", `{}`, `3`},
		{"C#\nin x\nout r" + rules, `{"x": 0}`, `null`},
		{"C+\nin x\nout r\n- | 1\n- | null", `{}`, failed + "expected number but found 'null'"},
		{"R\nin x\nout r" + rules, `{"x": 0}`, `null`},
		{"R\nin x\nout r" + rules, `{"x": 3}`, `[1,2,3]`},
		{"U\nin x\nout y" + rules, `{"x": 2}`, failed + "multiple values aren't allowed for UNIQUE hit policy. found: 'List(Map(y -> 1), Map(y -> 2))'"},
		{"A\nin x\nout y | z\n- | 1 | \"a\"\n- | 1 | [2, {b: null}]", `{}`, failed + `different values aren't allowed for ANY hit policy. found: 'List(Map(y -> 1, z -> "a"), Map(y -> 1, z -> [2, {b:null}]))'`},
		{"A\nin x\nout y\n- | {a: [1]}\n- | {a: [1.0]}", `{}`, `{"a":[1]}`},
		{"P\nin x\nout r = \"a\", \"b\"\n- | \"other\"\n- | \"b\"\n- | \"a\"", `{}`, `"a"`},
		{"P\nin x\nout r = \"a\", \"b\"\n- | \"other\"\n- | \"b\"", `{}`, `"b"`},
		{"P\nin x\nout r\n- | \"first\"\n- | \"second\"", `{}`, `"first"`},
		{"P\nin x\nout r = > 5\n- | 1\n- | 2", `{}`, `1`},
		{"O\nin x\nout r = 2, 1\n- | 3\n- | 1\n- | 2\n- | 1", `{}`, `[2,1,1,3]`},
		{"F\nin x | y\nout r\n1 | assert(?, false) | 1\n2 | 2 | 5", `{"x": 2, "y": 2}`, `5`},
		{"F\nin x\nout r\n- | 1\nassert(?, false) | 2", `{"x": 1}`, `1`},
		{"F\nin assert(x, x > 0)\nout r\n- | 1", `{"x": 0}`, failed + "Assertion failure on evaluate the expression 'assert(x, x > 0)': The condition is not fulfilled"},
	} {
		m := parse(t, document(tableXML(c.table)))
		if got := outcome(evaluate(t, m, "d", c.variables)); got != c.want {
			t.Errorf("%s with %s\n got %s\nwant %s", c.table, c.variables, got, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	output := func(name, unset string) string {
		return `<output name="` + name + `"><defaultOutputEntry><text>` + unset + `</text></defaultOutputEntry></output>`
	}
	for _, c := range []struct{ outputs, want string }{
		{output("r", "a + 1"), `8`},
		{output("r", "1") + output("s", "2"), `{"r":1,"s":2}`},
		{output("r", "1") + `<output name="s"/>`, `{"r":1,"s":null}`},
		{`<output name="r"/><output name="s"/>`, `null`},
	} {
		m := parse(t, document(aTable(`hitPolicy="COLLECT"`, inputA, c.outputs, ruleOne)))
		if got := outcome(evaluate(t, m, "d", `{"a": 7}`)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.outputs, got, c.want)
		}
	}
	m := parse(t, document(aTable(``, inputA, `<output name="r"/><output name="s"/>`, ruleOne)))
	if got := outcome(evaluate(t, m, "d", `{"a": 1}`)); got != `{"r":2,"s":null}` {
		t.Errorf("a missing cell: got %s", got)
	}
}

// TestModels evaluates the decisions of the recorded models that have no
// recorded answer.
func TestModels(t *testing.T) {
	for _, c := range []struct{ file, decision, variables, want, told string }{
		{"boxed", "list", `{"x": 1}`, `[1,2,["in"]]`, `list=[1,2,["in"]]`},
		{"boxed", "invocation", `{"x": 1}`, `4`, `twice=4 invocation=4`},
		{"boxed", "calltwice", `{"x": 1}`, `4`, `twice=2 twice=4 four=4 calltwice=4`},
		{"boxed", "intable", `{"x": 3}`, `[8,3]`, `twice=6 twice=8 intable=[8,3]`},
		{"boxed", "typed", `{"x": "a"}`, `"a"`, `typed="a"`},
		{"boxed", "typed", `{"x": null}`, `null`, `typed=null`},
		{"boxed", "typed", `{"x": 1}`, `typed: Expected to evaluate decision 'typed', but expected 'string' but found '1'`, `typed=null`},
		{"types", "dated", `{"d": "2020-01-01"}`, `dated: Expected to evaluate decision 'dated', but expected 'date' but found '"2020-01-01"'`, `dated=null`},
		{"types", "typedtable", `{"n": 6, "c": "red"}`, `{"first":"7","second":"2020-01-01"}`, `typedtable={"first":"7","second":"2020-01-01"}`},
		{"types", "typedtable", `{"n": 1}`, `{"first":null,"second":"2000-01-01"}`, `typedtable={"first":null,"second":"2000-01-01"}`},
		{"drg", "usesname", `{"x": 1}`, `null`, `novar=2 usesname=null`},
		{"drg", "price", `{"customer": {"years": 12}, "items": [{"price": 10, "count": 3}]}`, `27`,
			`status="gold" total=30 discount={"percent":10,"why":"gold"} total=30 price=27`},
	} {
		content, err := os.ReadFile("testdata/models/" + c.file + ".dmn")
		if err != nil {
			t.Fatal(err)
		}
		e := evaluate(t, parse(t, content), c.decision, c.variables)
		if got := outcome(e); got != c.want || told(e) != c.told {
			t.Errorf("%s %s:\n got %s and %s\nwant %s and %s", c.decision, c.variables, got, told(e), c.want, c.told)
		}
	}
}

func function(id, params, logic string, inside ...string) string {
	formal := ""
	for _, p := range strings.Fields(params) {
		formal += `<formalParameter name="` + strings.ReplaceAll(p, "_", " ") + `"/>`
	}
	return `<businessKnowledgeModel id="` + id + `" name="` + id + `"><encapsulatedLogic>` + formal + logic + `</encapsulatedLogic>` + strings.Join(inside, "") + `</businessKnowledgeModel>`
}

func literal(expr string) string {
	return `<literalExpression><text>` + escaped(expr) + `</text></literalExpression>`
}

func invocation(name string, bindings ...string) string {
	s := `<invocation>` + literal(name)
	for i := 0; i < len(bindings); i += 2 {
		s += `<binding><parameter name="` + bindings[i] + `"/>` + literal(bindings[i+1]) + `</binding>`
	}
	return s + `</invocation>`
}

func decision(id, logic string, inside ...string) string {
	return `<decision id="` + id + `" name="` + id + `">` + strings.Join(inside, "") + logic + `</decision>`
}

func TestKnowledge(t *testing.T) {
	failed := "d: Expected to evaluate decision 'd', but "
	k := requires("Knowledge", "#k")
	add := function("k", "a b", literal("a * 10 + b + if x = null then 0 else x"))
	for _, c := range []struct{ name, body, variables, want, told string }{
		{"arguments by name", add + decision("d", invocation("k", "b", "1", "a", "2"), k), `{}`, `21`, `k=21 d=21`},
		{"sees the variables", add + decision("d", literal("k(2, 1)"), k), `{"x": 100}`, `121`, `k=121 d=121`},
		{"parameter missing", add + decision("d", invocation("k", "a", "1"), k), `{}`, failed + "no parameter found with name 'b'", `d=null`},
		{"not required", add + decision("d", invocation("k", "a", "1")), `{}`, failed + "no BKM found with name 'k'", `d=null`},
		{"without logic", `<businessKnowledgeModel id="k" name="k"/>` + decision("d", literal("k(1)"), k), `{}`, `null`, `d=null`},
		{"fails", function("k", "a", literal("assert(a, a > 1)")) + decision("d", literal("k(1) + k(2)"), k), `{}`,
			failed + "Assertion failure on evaluate the expression 'assert(a, a > 1)': The condition is not fulfilled", `k=null d=null`},
		{"is a function definition", function("k", "", `<functionDefinition><formalParameter name="n"/>`+literal("n + x")+`</functionDefinition>`) +
			decision("d", literal("{f: k(), r: f(2)}.r"), k), `{"x": 5}`, `7`, `k=null d=7`},
		{"of no parameters", function("k", "", literal("7")) + decision("d", invocation("k"), k), `{}`, `7`, `k=7 d=7`},
	} {
		e := evaluate(t, parse(t, document(c.body)), "d", c.variables)
		if got := outcome(e); got != c.want || told(e) != c.told {
			t.Errorf("%s:\n got %s and %s\nwant %s and %s", c.name, got, told(e), c.want, c.told)
		}
	}
}

func TestNamesWithBlanks(t *testing.T) {
	input := `<inputData id="i" name="Full Name"><variable name="Full Name"/></inputData><inputData id="j" name="Full Name Of Pet"/>`
	for _, c := range []struct{ expr, variables, want string }{
		{`"Hello " + Full Name`, `{"Full Name": "Ann"}`, `"Hello Ann"`},
		{`Full   Name Of Pet + "Full Name"`, `{"Full Name": "Ann", "Full Name Of Pet": "Rex "}`, `"Rex Full Name"`},
		{"`Full Name` + Full Name", `{"Full Name": "Ann"}`, `"AnnAnn"`},
		{`person.Full Name`, `{"person": {"Full Name": "Ann"}}`, `"Ann"`},
		{`/* Full Name */ Full Name // Full Name`, `{"Full Name": "Ann"}`, `"Ann"`},
	} {
		m := parse(t, document(input+one("d", c.expr)))
		if got := outcome(evaluate(t, m, "d", c.variables)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.expr, got, c.want)
		}
	}
	for _, expr := range []string{"Other Name", "Full Names", "Full", "MyFull Name"} {
		_, err := dmn.Parse("r.dmn", document(input+one("d", expr)))
		if wrong := expr != "Full"; wrong != (err != nil) {
			t.Errorf("%s: %v", expr, err)
		}
	}
	all := function("Sum_up", "First_one", literal("First one * 2"))
	all = strings.Replace(all, `id="Sum_up" name="Sum_up"`, `id="k" name="Sum up"`, 1)
	m := parse(t, document(all+decision("d", invocation("Sum up", "First one", "4"), requires("Knowledge", "#k"))+
		decision("e", literal("Sum up(3)"), requires("Knowledge", "#k"))))
	if got := outcome(evaluate(t, m, "d", `{}`)) + outcome(evaluate(t, m, "e", `{}`)); got != "86" {
		t.Errorf("got %s", got)
	}
}

// TestTypes: the type of the variable is checked if it is one of the language.
func TestTypes(t *testing.T) {
	for _, c := range []struct{ typ, expr, bad string }{
		{"string", `"a"`, "1"},
		{"number", "1", `"a"`},
		{"integer", "1", "true"},
		{"boolean", "true", "1"},
		{"date", `date("2020-01-01")`, `time("10:00:00")`},
		{"time", `time("10:00:00Z")`, `date("2020-01-01")`},
		{"dateTime", `date and time("2020-01-01T10:00:00")`, `date("2020-01-01")`},
		{"date and time", `date and time("2020-01-01T10:00:00Z")`, "[1]"},
		{"dayTimeDuration", `duration("P1D")`, `duration("P1Y")`},
		{"years and months duration", `duration("P1Y")`, `duration("P1D")`},
		{"Any", "1", ""}, {"tOwn", "[{a: 1}]", ""}, {"string", "null", ""},
	} {
		variable := `<variable name="d" typeRef="` + c.typ + `"/>`
		if e := evaluate(t, parse(t, document(one("d", c.expr, variable))), "d", `{}`); e.Failure != nil {
			t.Errorf("%s as %s: %v", c.expr, c.typ, e.Failure)
		}
		if c.bad == "" {
			continue
		}
		e := evaluate(t, parse(t, document(one("d", c.bad, variable))), "d", `{}`)
		if !strings.HasPrefix(outcome(e), "d: Expected to evaluate decision 'd', but expected '"+c.typ+"' but found '") || e.Output != nil {
			t.Errorf("%s as %s: %s", c.bad, c.typ, outcome(e))
		}
	}
}

func TestNow(t *testing.T) {
	m := parse(t, document(one("d", "string(now())")))
	now := func() time.Time { return time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC) }
	e, err := m.Evaluate("d", nil, now)
	if err != nil || outcome(e) != `"2024-02-29T12:00:00Z"` {
		t.Errorf("got %s, %v", outcome(e), err)
	}
}

// TestConcurrent: a model is evaluated by many at once (under -race).
func TestConcurrent(t *testing.T) {
	content, err := os.ReadFile("testdata/models/boxed.dmn")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, content)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				for _, d := range m.Decisions {
					if e, err := m.Evaluate(d.ID, feel.Vars{"x": []byte(`1`)}, nil); err != nil || e.Failure != nil && d.ID != "typed" {
						t.Errorf("%s: %v %v", d.ID, err, e.Failure)
					}
				}
			}
		})
	}
	all.Wait()
}
