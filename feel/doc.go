// Package feel compiles and evaluates FEEL, the Friendly Enough Expression
// Language of DMN 1.3 (chapter 10), as Zeebe 8.6 runs it (feel-scala 1.18).
//
// It holds the values (Number is a decimal, there are no floats), the parser,
// the evaluator, the built-in functions and the two ways values travel: JSON
// (FromJSON, AppendJSON) and text (the string function).
//
// It refuses: external (Java) functions, and expressions that are longer than
// 1 MiB or nested deeper than 500. An evaluation that takes too many steps
// (Env.MaxSteps), builds texts or numbers that are too large or calls itself
// too deeply ends in an *EvalError: nothing an expression says exhausts the
// stack, the memory or the time. Most other problems are no errors in FEEL:
// the value is null and Result.Warnings says why.
//
// Where this package answers otherwise than the original is listed in
// DIFFERENCES.md.
//
// Start reading at expression.go (the API), then parser.go and eval.go; the
// functions are in builtins.go and the files named after it. The regular
// expressions are our own (regex_parse.go, regex_run.go), because the original's
// have look-around and back references.
package feel
