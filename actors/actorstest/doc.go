// Package actorstest helps to test actors: a system that complains about what a
// test leaves behind, and a probe, an actor that hears for the test.
//
// Start reading at actorstest.go.
package actorstest
