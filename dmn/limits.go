package dmn

import (
	"time"

	"github.com/grevy-io/grevy/feel"
)

// The bounds of a resource. They are far above any model that is drawn or
// generated and keep a hostile one from costing more than its bytes.
const (
	maxBytes      = 8 << 20
	maxXMLDepth   = 256     // nested elements
	maxNodes      = 250_000 // elements that are kept
	maxAttributes = 256     // of one element
	maxFindings   = 100     // that a refusal tells
	maxReport     = 12 * 1024
	maxBlankNames = 200       // names with blanks that are looked for in expressions
	maxBlankName  = 200       // bytes of one
	maxQuoted     = 512 << 10 // bytes of expressions in which they are looked for
)

// The bounds of an evaluation: feel bounds each expression, these what a
// decision makes of many. A partition waits for it.
const (
	maxEvaluated = 10_000               // decisions and knowledge models in the answer
	maxRoom      = 2_000_000            // values in the answer, long texts counting as several
	maxCalls     = 64                   // functions and knowledge models that call each other
	maxSteps     = feel.DefaultMaxSteps // of all expressions together
	maxTime      = 5 * time.Second      // should steps be slower than they are
	maxFound     = 2_000                // bytes of the values that a failure tells
)
