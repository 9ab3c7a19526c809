// Package nodeport is what the three ports between nodes do with a connection
// before it may say anything: its certificate, the preamble, and a bound on how
// many strangers stand at the door at a time and for how long.
//
// What it refuses: to know what a connection carries afterwards.
//
// Start reading at port.go.
package nodeport
