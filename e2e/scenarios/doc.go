// Package scenarios plays some hundred small stories on a broker, opened in this
// process, and compares what a client sees and what the broker records with what
// Zeebe 8.6.0 did: the answers of every step in order (the transcript), and the
// events of each instance, job, variable, incident, timer and subscription (the
// trace). The stories stand in testdata/given, what the original did with them
// in testdata/golden.
//
// testdata/differs.txt names those in which something else happens here on
// purpose, which docs/compatibility.md explains. One that is listed and happens
// as in the original fails the test too, so that the list only gets shorter.
//
// A scenario is a list of steps (steps_*_test.go has their verbs) on models in
// a notation of its own (model_test.go): one chain of elements a line, with
// name=value attributes; { } nests.
//
//	start s -> service t retries=5 in.a='= x' -> xor g
//	g -> ?'a > 1' end big
//	g -> ?default end small
//
// Start reading at scenarios_test.go.
package scenarios
