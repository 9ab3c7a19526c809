// Package door is what ports do with a connection before it may say anything.
//
// For ports between nodes ([Port]): its certificate, the preamble, and a bound on
// how many strangers stand at the door at a time and for how long. For ports of
// clients and operators ([Limit]): a bound on how many there are.
//
// What it refuses: to know what a connection carries afterwards.
//
// Start reading at port.go.
package door
