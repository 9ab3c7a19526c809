// Package recordlog writes records where they can be read: one JSON object per
// line in the original's exporter format (docs/records.md), appended to a file or
// handed to a function. It holds no state of its own: which records are written
// and when is the partition leader's affair (partitionactor/exporter.go). It
// refuses nothing; what cannot be written is an error, and is tried again by its
// caller. Start at Sink.
package recordlog
