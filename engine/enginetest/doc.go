// Package enginetest runs the engine without raft: partitions on memkv, with
// a real overlay, whose entries are packed, kept in flight as long as a test
// wants and then applied, so that every byte written is read back.
//
// It holds the short form in which tests write models (shortform.go), the
// harness (cluster.go, partition.go), a check of everything that must always
// hold of a partition's state (invariants.go), and the transcripts of
// engine/testdata: files of verbs with the output each must have
// (transcript.go). A verb is one file, verb_NAME.go. It holds no test itself
// and refuses to be used outside tests.
//
// Start reading at transcript.go.
package enginetest
