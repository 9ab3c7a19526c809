// Package waltest is a file system in memory for tests of logs: any operation on
// it can fail, the process can end at it, and what a power loss leaves is drawn.
// The tests of raftadapter/wal use it, and those that compare it with another log.
package waltest
