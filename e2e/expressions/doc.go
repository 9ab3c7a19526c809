// Package expressions lets a broker, opened in this process, evaluate the
// recorded cases of the rooms feel and dmn (their testdata): expressions, unary
// tests, tables and models through EvaluateDecision, and expressions where
// processes have them, in mappings, conditions, timers, multi-instances, jobs and
// so on, by an instance each. What comes out is compared with what Zeebe 8.6.0
// gave: outputs, failures, incidents, due dates, refused deployments.
//
// testdata/differs.txt names the cases that give something else here on purpose,
// by file and line; docs/compatibility.md says why. One that is listed and gives
// the same fails the test too, so that the list only gets shorter.
//
// Start reading at expressions_test.go; process_test.go has the kinds of cases
// that need an instance.
package expressions
