package dmn

import "github.com/grevy-io/grevy/feel"

// Model is what one resource holds. It is immutable and safe for concurrent use.
type Model struct {
	// ID, Name and Namespace are those of the definitions element.
	ID, Name, Namespace string
	// Decisions are the decisions in document order.
	Decisions []*Decision
	// Size is a rough count of the bytes the model holds in memory, for a
	// cache that is bounded by bytes.
	Size int

	byID  map[string]*Decision
	types map[string]*feel.Type // of the item definitions
}

// Decision gives the decision with this id, nil if the model has none.
func (m *Model) Decision(id string) *Decision { return m.byID[id] }

// Decision is one decision of a model.
type Decision struct {
	ID, Name string
	// Type says what its logic is.
	Type Type
	// VersionTag is the zeebe:versionTag of the decision, empty without one.
	VersionTag string

	variable string // under which those who require the decision see its value
	typeRef  string // of the variable
	logic    logic
	requires []*Decision
	knows    []*knowledge
}

// Type is the kind of a decision's logic, in the words of Zeebe's records.
type Type string

// The types of logic.
const (
	DecisionTable     Type = "DECISION_TABLE"
	LiteralExpression Type = "LITERAL_EXPRESSION"
	ContextExpression Type = "CONTEXT"
	Invocation        Type = "INVOCATION"
	ListExpression    Type = "LIST"
	Relation          Type = "RELATION"
	FunctionLogic     Type = "FUNCTION_DEFINITION"
	Conditional       Type = "CONDITIONAL"
	Filter            Type = "FILTER"
	ForLoop           Type = "FOR"
	SomeOf            Type = "SOME"
	EveryOf           Type = "EVERY"
	Service           Type = "DECISION_SERVICE"
)

// knowledge is a business knowledge model or a decision service: a function.
type knowledge struct {
	id, name, variable string
	params             []string
	types              []*feel.Type // of the parameters of a service
	logic              logic        // nil: drawn but not written yet, cannot be called
	knows              []*knowledge
}
