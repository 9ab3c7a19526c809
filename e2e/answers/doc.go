// Package answers asks a broker, opened in this process, some hundred questions
// and compares its answers with those of Zeebe 8.6.0: one call per case, any RPC,
// status code, message and response. The cases stand in testdata/given, recorded
// from the original; testdata/fixtures.yaml holds steps that they share.
//
// Two lists say which cases have another answer here: testdata/differs.txt those
// that are meant to, which docs/compatibility.md explains, and testdata/open.txt
// those that are not there yet. A case that is listed and has the original's
// answer fails the test too, so that the lists only get shorter.
//
// Start reading at answers_test.go. A case is read by case_test.go, its models
// are written by model_test.go, its calls made by run_test.go, and normal_test.go
// takes out of an answer what differs from run to run.
package answers
