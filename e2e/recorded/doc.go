// Package recorded reads the cases in which the behaviour of the original is
// recorded: those of expressions and decisions, and the lists of names beside all
// of them. The tests of feel, of dmn and of the packages beside this one share it,
// so that they mean the same by a case.
//
// It refuses to judge what differs. Start at cases.go, which has the format.
package recorded
