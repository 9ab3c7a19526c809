package bpmn

import "github.com/grevy-io/grevy/feel"

// Model is what one resource holds: its executable processes in document order.
type Model struct {
	Processes []*Process
	// Size is a rough count of the bytes the model holds in memory, for a
	// cache that is bounded by bytes.
	Size int
}

// Process is one executable process.
type Process struct {
	ID, Name, VersionTag string
	// Root is the process itself as a flow scope.
	Root *Element
	// Elements holds every element by Index; Elements[0] is Root. An element
	// comes before the elements inside it.
	Elements []*Element
	// Flows holds every sequence flow by Index, in document order, those of
	// sub-processes included.
	Flows []*Flow

	byID map[string]*Element
}

// Element gives the element with this id, nil if the process has none.
// Sequence flows are not elements.
func (p *Process) Element(id string) *Element { return p.byID[id] }

// Element is a process or a flow node.
type Element struct {
	Index    int
	ID, Name string
	Type     ElementType
	Event    EventType
	// Scope is the process or sub-process the element stands in, nil for the process.
	Scope *Element
	// Children are the elements directly inside a process or sub-process, in document order.
	Children []*Element
	// Incoming and Outgoing are in document order of the sequenceFlow elements;
	// the <incoming> and <outgoing> references inside a node are not consulted.
	Incoming, Outgoing []*Flow
	// Default is the default flow of an exclusive or inclusive gateway, nil if it has none.
	Default *Flow
	// NoneStart is the none start event of a process or sub-process, nil if it has none.
	NoneStart *Element
	// Job is set on elements that create a job, nil on all others.
	Job             *Job
	Inputs, Outputs []Mapping
	// LinkTarget is where a link throw event goes on.
	LinkTarget *Element
	// Loop is set on multi-instance activities.
	Loop *Loop
	// Called is set on call activities.
	Called *Called
	// Decision is set on business rule tasks that call a decision.
	Decision *CalledDecision
	// Form is the form that is linked to a user task, nil if there is none.
	Form *LinkedForm
	// Native is set on user tasks that create no job.
	Native *NativeTask
	// Script is set on script tasks with an expression.
	Script *Script
	// Boundary are the boundary events of an activity, in document order;
	// AttachedTo is the activity of a boundary event.
	Boundary   []*Element
	AttachedTo *Element
	// Interrupting says of a boundary event, and of the start event of an event
	// sub-process, that it ends what it stands at.
	Interrupting bool
	// EventStarts are the start events of the event sub-processes directly inside
	// a process or sub-process.
	EventStarts []*Element
	// RootStarts are the start events of a process at which an event begins an
	// instance: timer, message and signal ones.
	RootStarts []*Element
	// Timer is set on events that wait for a time. That of the start of a process
	// needs no variables.
	Timer *Timer
	// StartListeners and EndListeners are jobs to be done one after another before
	// the element begins and before it is left.
	StartListeners, EndListeners []Listener
	// Compensation is the compensation boundary event of an activity; it is not
	// among those in Boundary, since it never happens while the activity is active.
	// Of several the last one counts, as in the original.
	Compensation *Element
	// Handler is the activity that a compensation boundary event leads to, nil
	// if it leads to none.
	Handler *Element
	// ForCompensation says of an activity that it is done to compensate another: it
	// says so, or is such a handler.
	ForCompensation bool
	// Compensates is the id of the activity that a compensation throw or end event
	// is for, empty if it is for all in its scope.
	Compensates string
	// Message is set on events and receive tasks that wait for a message.
	Message *Message
	// Signal is the name of the signal that an event waits for or throws, nil
	// on all others.
	Signal *feel.Expression
	// Code is the code of an error or escalation that an event throws or catches. An event that
	// catches has nil for all codes, and its code is a text, never evaluated.
	Code *feel.Expression
}

// Loop says how an activity is done once for each item of a list.
type Loop struct {
	Sequential bool
	// Input evaluates to a list; InputElement is the variable of each item, empty
	// if nobody wants it.
	Input        *feel.Expression
	InputElement string
	// OutputCollection is the variable of the results, empty if there are none;
	// OutputElement gives each of them, OutputVariable is the variable that it
	// begins with, empty if it is no plain path.
	OutputCollection, OutputVariable string
	OutputElement                    *feel.Expression
	// Completion ends the activity early, nil if nothing does.
	Completion *feel.Expression
}

// Called says which process a call activity starts, and what of the variables
// goes in and comes back without mappings.
type Called struct {
	// ProcessID evaluates to a string.
	ProcessID           *feel.Expression
	Binding             Binding
	AllParent, AllChild bool
}

// BindingType says which version is meant of what an element refers to by id.
type BindingType uint8

// The types of binding: the newest version, that of the same deployment, the
// newest with a tag.
const (
	BindLatest BindingType = iota
	BindDeployment
	BindVersionTag
)

// Binding is a type of binding, with its version tag.
type Binding struct {
	Type       BindingType
	VersionTag string
}

// CalledDecision says which decision a business rule task evaluates, and the
// variable of its value.
type CalledDecision struct {
	// ID evaluates to a string.
	ID      *feel.Expression
	Binding Binding
	Result  string
}

// LinkedForm says which form belongs to a user task.
type LinkedForm struct {
	// ID evaluates to a string.
	ID      *feel.Expression
	Binding Binding
}

// NativeTask is what a user task without a job says of who is to do it.
type NativeTask struct {
	// Headers and Dynamic are named like those of a user task's job.
	Headers []Header
	Dynamic []DynamicHeader
	// Priority evaluates to a number; nil: the default.
	Priority *feel.Expression
	// Reference evaluates to a string; nil: none.
	Reference *feel.Expression
}

// Script is an expression whose value becomes a variable.
type Script struct {
	Expression *feel.Expression
	Result     string
}

// Timer says when an event happens; exactly one of the expressions is set.
type Timer struct {
	Duration, Date, Cycle *feel.Expression
}

// Message says what message an event waits for. Both evaluate to texts; the
// correlation key may be a number too. The start of a process has none, and its
// name needs no variables.
type Message struct {
	Name, Key *feel.Expression
	keyed     bool // the key was compiled
}

// Flow is a sequence flow. The original accepts one that leads into or out of a
// sub-process, so Source and Target may stand in different scopes.
type Flow struct {
	Index          int
	ID             string
	Source, Target *Element
	// Condition is nil on an unconditional flow.
	Condition *feel.Expression
}

// Job says what job an element creates.
type Job struct {
	// Type evaluates to a string, Retries to a number.
	Type, Retries *feel.Expression
	// Headers are in document order; of a key given twice the last one stands.
	Headers []Header
	// HeadersJSON is the headers as a compact JSON object, "{}" without any.
	HeadersJSON []byte
	// Dynamic are the headers of a user task that need the variables of the
	// instance; they are added to Headers when the job is created.
	Dynamic []DynamicHeader
}

// Listener is a job that is done beside an element's own work. An expression
// that does not parse is no reason to refuse the model, as in the original: it
// is nil then, and Wrong says why.
type Listener struct {
	// Type evaluates to a string, Retries to a number.
	Type, Retries *feel.Expression
	Wrong         string
}

// DynamicHeader is a header whose value is worked out when the job is created.
type DynamicHeader struct {
	Key    string
	Type   HeaderType
	Source *feel.Expression
}

// HeaderType says what the value of a DynamicHeader must be.
type HeaderType uint8

// The types of dynamic headers; anything else is an EXTRACT_VALUE_ERROR.
const (
	// StringHeader must be a string.
	StringHeader HeaderType = iota
	// ListHeader must be a list of strings; the header is its JSON text.
	ListHeader
	// DateHeader must be a date and time, or a string that is one; the header
	// is its canonical text. Null leaves the header out.
	DateHeader
)

// Header is a task header: a constant the job carries.
type Header struct{ Key, Value string }

// Mapping writes the value of Source to the variable Target, which is the
// path of a nested property: a.b.c is ["a" "b" "c"].
type Mapping struct {
	Source *feel.Expression
	Target []string
}
