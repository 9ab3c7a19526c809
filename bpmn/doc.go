// Package bpmn reads a BPMN 2.0 XML resource, checks it as Zeebe 8.6 does and
// gives an immutable model the engine executes.
//
// Parse is the only way in. It accepts a resource that holds any number of
// executable processes, and refuses everything else with *Invalid, whose text
// is the block of that resource in the answer to a deployment. Three kinds of
// refusal exist, in this order: the text is not well-formed XML, the document
// breaks the schema, the model breaks a rule. A model that is legal but holds
// elements the engine cannot run yet is refused too; the table of what it can
// run is in supported.go.
//
// The model is safe for concurrent use: nothing in it changes after Parse.
//
// Start reading at parse.go (the stages), then model.go (the result).
package bpmn
