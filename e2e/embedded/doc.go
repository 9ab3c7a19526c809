// Package embedded opens a broker in the test's own process, as a program that
// embeds grevy does. What its gateway says is seen through gRPC, what it records through a function.
//
// It refuses to judge: which answers are right is the affair of the packages
// beside it. Start at open.go.
package embedded
