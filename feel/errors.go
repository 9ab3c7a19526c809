package feel

import "fmt"

// ParseError says that a text is no FEEL expression.
type ParseError struct {
	Source  string // what was to be parsed
	Offset  int    // in bytes from the start of Source
	Line    int    // from 1
	Column  int    // in characters, from 1
	Message string // what was expected or found there
	// Invalid says that the text can be parsed but is refused for what it
	// asks for (an external function).
	Invalid bool

	misread    bool // not of the language; else a limit was passed
	expression bool // it was to be an expression, not unary tests
}

// Error is the original's message: "failed to parse expression '…': …" with what
// it expected and found, or "validation of expression '…' failed: …". Message
// says more of it.
func (e *ParseError) Error() string {
	if e.Invalid {
		return fmt.Sprintf("validation of expression '%s' failed: %s", e.Source, e.Message)
	}
	if e.expression && e.misread {
		if text := parseFailure(e.Source); text != "" {
			return fmt.Sprintf("failed to parse expression '%s': %s", e.Source, text)
		}
	}
	return fmt.Sprintf("failed to parse expression '%s': %s (line %d, column %d)", e.Source, e.Message, e.Line, e.Column)
}

// WarningType is the class of a Warning, in the original's words.
type WarningType string

// The types of warnings.
const (
	NoVariableFound           WarningType = "NO_VARIABLE_FOUND"
	NoContextEntryFound       WarningType = "NO_CONTEXT_ENTRY_FOUND"
	NoPropertyFound           WarningType = "NO_PROPERTY_FOUND"
	NotComparable             WarningType = "NOT_COMPARABLE"
	InvalidType               WarningType = "INVALID_TYPE"
	NoFunctionFound           WarningType = "NO_FUNCTION_FOUND"
	FunctionInvocationFailure WarningType = "FUNCTION_INVOCATION_FAILURE"
	OutOfBounds               WarningType = "OUT_OF_BOUNDS"
	AssertFailure             WarningType = "ASSERT_FAILURE"
)

// Warning says why a part of an expression gave null.
type Warning struct {
	Type    WarningType
	Message string
}

// String gives "[TYPE] message", a line of Zeebe's incidents.
func (w Warning) String() string { return "[" + string(w.Type) + "] " + w.Message }

// FailureKind says why an evaluation failed.
type FailureKind uint8

// The kinds of failures.
const (
	Failed        FailureKind = iota // an operation has no value and the original fails: log(0)
	AssertionFail                    // assert(…) was not fulfilled
	LimitExceeded                    // too many steps, too large a value, too deep a recursion
)

// EvalError is a failed evaluation. The Result returned with it still holds
// the warnings up to the failure.
type EvalError struct {
	Kind    FailureKind
	Source  string // the expression
	Message string // why, without the expression
}

// Error words the failure as the original does: "Assertion failure on
// evaluate the expression '…': …" or "failed to evaluate expression '…': …".
func (e *EvalError) Error() string {
	if e.Kind == AssertionFail {
		return fmt.Sprintf("Assertion failure on evaluate the expression '%s': %s", e.Source, e.Message)
	}
	return fmt.Sprintf("failed to evaluate expression '%s': %s", e.Source, e.Message)
}
