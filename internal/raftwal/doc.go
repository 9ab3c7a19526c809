// Package raftwal compares raftadapter/wal with hashicorp/raft-wal v0.4.1: the
// same faults and the same load on both, in one run. docs/adr/0014 rests on it.
//
// It is a module of its own, so that the program does not come to depend on
// raft-wal, and no part of CI. In this folder:
//
//	go test -v .
//	go test -run '^$' -bench . .
//
// Tests of what raft-wal does wrong say so when it does it no more: then the
// decision is to be looked at again.
package raftwal
