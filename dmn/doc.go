// Package dmn reads a DMN XML resource (1.1 to 1.5), checks it as Zeebe 8.6
// does and evaluates its decisions.
//
// It holds decision tables with all hit policies and aggregations, literal
// expressions, contexts, lists, relations, function definitions, invocations,
// the boxed conditionals, iterators and filters of DMN 1.4, business knowledge
// models, decision services as functions, and the graph of what a decision
// requires. The expressions are FEEL (package feel).
//
// Parse refuses with *Invalid what breaks the schema, requires what is not
// there or itself, or holds an expression that is no FEEL. Imports are not
// supported: they are passed over. An evaluation never exhausts stack, memory or
// time: limits.go has the bounds.
//
// As in the original a value is checked against the type of a decision's
// variable if that is a type of the language, and against nothing else: item
// definitions are for "instance of" and the parameters of decision services
// (types.go). Names with blanks may be written as
// they are wherever the text could not be parsed otherwise, which the original
// refuses (names.go). Where this package answers otherwise than the original is
// listed in DIFFERENCES.md.
//
// Start reading at parse.go (the way in) and model.go (the result), then
// evaluate.go.
package dmn
