package dmn

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// logicNames are the elements that are expressions (DMN 1.3, 10.5; from
// conditional on DMN 1.4).
const logicNames = "literalExpression|invocation|decisionTable|context|functionDefinition|relation|list|conditional|filter|for|some|every"

// contents says per element which children it has, in order: ! is one, ? at
// most one, * any number, + at least one; @name is an attribute it must have. An
// element that is another one in some other is listed with that, a slash between.
// It takes in what the schemas of DMN 1.1 to 1.5 allow. What elements that are
// not listed hold is not checked.
const contents = `
definitions @name @namespace import* itemDefinition* decision|businessKnowledgeModel|inputData|knowledgeSource|decisionService* textAnnotation|association|group* elementCollection* performanceIndicator|organizationUnit*
import @namespace @importType
itemDefinition @name typeRef? allowedValues? typeConstraint? itemComponent* functionItem?
itemComponent @name typeRef? allowedValues? typeConstraint? itemComponent* functionItem?
allowedValues text!
decision @name question? allowedAnswers? variable? informationRequirement* knowledgeRequirement* authorityRequirement* supportedObjective* impactedPerformanceIndicator* decisionMaker* decisionOwner* usingProcess* usingTask* LOGIC?
businessKnowledgeModel @name variable? encapsulatedLogic? variable? knowledgeRequirement* authorityRequirement*
inputData @name variable?
decisionService/inputData @href
knowledgeSource @name authorityRequirement* type? owner?
decisionService @name variable? outputDecision* encapsulatedDecision* inputDecision* inputData*
informationRequirement requiredDecision|requiredInput!
knowledgeRequirement requiredKnowledge!
requiredDecision @href
requiredInput @href
requiredKnowledge @href
variable @name
encapsulatedLogic formalParameter* LOGIC?
functionDefinition formalParameter* LOGIC?
formalParameter @name
literalExpression text|importedValues?
inputExpression text|importedValues?
outputEntry text|importedValues?
defaultOutputEntry text|importedValues?
inputEntry text!
inputValues text!
outputValues text!
invocation LOGIC? binding*
binding parameter! LOGIC?
parameter @name
decisionTable input* output+ annotation* rule*
input inputExpression! inputValues?
output outputValues? defaultOutputEntry?
rule inputEntry* outputEntry+ annotationEntry*
annotationEntry text?
context contextEntry*
contextEntry variable? LOGIC!
relation column* row*
column @name
row LOGIC*
list LOGIC*
conditional if! then! else!
if LOGIC!
then LOGIC!
else LOGIC!
filter in! match!
for @iteratorVariable in! return!
some @iteratorVariable in! satisfies!
every @iteratorVariable in! satisfies!
in LOGIC!
match LOGIC!
return LOGIC!
satisfies LOGIC!
`

// place is a place in the content of an element.
type place struct {
	names    []string
	min, max int
}

type content struct {
	must   []string
	places []place
}

var schema = sync.OnceValue(func() map[string]*content {
	all := map[string]*content{}
	for line := range strings.Lines(strings.TrimSpace(contents)) {
		words := strings.Fields(strings.ReplaceAll(line, "LOGIC", logicNames))
		c := &content{places: []place{
			{names: []string{"description"}, max: 1}, {names: []string{"extensionElements"}, max: 1},
		}}
		for _, w := range words[1:] {
			if name, ok := strings.CutPrefix(w, "@"); ok {
				c.must = append(c.must, name)
				continue
			}
			p := place{names: strings.Split(w[:len(w)-1], "|"), max: 1}
			switch w[len(w)-1] {
			case '!':
				p.min = 1
			case '*':
				p.max = maxNodes
			case '+':
				p.min, p.max = 1, maxNodes
			}
			c.places = append(c.places, p)
		}
		all[words[0]] = c
	}
	return all
})

var (
	hitPolicies  = []string{"UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"}
	aggregations = []string{"SUM", "COUNT", "MIN", "MAX"}
)

// checkSchema refuses what the schema does not allow. The ids it finds are
// all different.
func checkSchema(root *node) error { return checkNode(root, "", map[string]bool{}) }

func checkNode(n *node, parent string, ids map[string]bool) error {
	if n.name == "extensionElements" || n.zeebe {
		return nil
	}
	if id, ok := n.lookup("id"); ok {
		id = strings.TrimSpace(id)
		if !isName(id) || ids[id] {
			return fmt.Errorf("'%s' is no valid id of '%s', or used twice", id, n.name)
		}
		ids[id] = true
	}
	c := schema()[parent+"/"+n.name]
	if c == nil {
		c = schema()[n.name]
	}
	if c != nil {
		if err := c.check(n); err != nil {
			return err
		}
	}
	if n.name == "decisionTable" {
		if v, ok := n.lookup("hitPolicy"); ok && !slices.Contains(hitPolicies, v) {
			return fmt.Errorf("'%s' is no hit policy", v)
		}
		if v, ok := n.lookup("aggregation"); ok && !slices.Contains(aggregations, v) {
			return fmt.Errorf("'%s' is no aggregation", v)
		}
	}
	for _, c := range n.children {
		if err := checkNode(c, n.name, ids); err != nil {
			return err
		}
	}
	return nil
}

func (c *content) check(n *node) error {
	for _, name := range c.must {
		if _, ok := n.lookup(name); !ok {
			return fmt.Errorf("'%s' has no attribute '%s'", n.name, name)
		}
	}
	at, count := 0, 0
	for _, child := range n.children {
		if child.zeebe {
			continue
		}
		for at < len(c.places) && (count == c.places[at].max || !slices.Contains(c.places[at].names, child.name)) {
			if count < c.places[at].min {
				return fmt.Errorf("'%s' is expected in '%s' before '%s'", c.places[at].names[0], n.name, child.name)
			}
			at, count = at+1, 0
		}
		if at == len(c.places) {
			return fmt.Errorf("'%s' is not expected in '%s'", child.name, n.name)
		}
		count++
	}
	for ; at < len(c.places); at, count = at+1, 0 {
		if count < c.places[at].min {
			return fmt.Errorf("'%s' has no '%s'", n.name, c.places[at].names[0])
		}
	}
	return nil
}

// isName says whether the text is an NCName, as ids are. Letters beyond ASCII
// are taken as they come.
func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0xC0
		if !letter && (i == 0 || r != '-' && r != '.' && r != 0xB7 && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}
