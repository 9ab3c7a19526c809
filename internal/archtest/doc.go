// Package archtest holds the rules about the repository that a compiler does not
// check, as tests: who may import whom, that every package says what it is for,
// that no test sleeps, that nothing unfinished is left lying, and that the two
// paths (a write, a deployment) can be followed through the code by their marks.
//
// It reads sources only and needs no tools. levels_test.go has the table that a
// new package is entered in; source_test.go finds the files.
package archtest
