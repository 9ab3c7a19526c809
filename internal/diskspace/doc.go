// Package diskspace watches how much room a disk has, and says when it becomes
// scarce and when it ends, before a write fails. It decides nothing about what is
// written then; partitionactor does.
package diskspace
