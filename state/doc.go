// Package state is a partition's memory: typed tables over an ordered
// key-value store.
//
// From below to above:
//
//   - [KV] is one node's store, shared by all its partitions (badgerkv on disk,
//     memkv for tests; statetest is the one suite for both);
//   - [View] is a partition's committed state as of one moment: the keys of the
//     KV under the partition's current generation;
//   - [Overlay] lays over it what the leader has proposed and not yet seen
//     committed (architecture §2);
//   - [Tx] collects the writes of one command over the overlay and is thrown
//     away if the command fails.
//
// The records kept in the tables (element instances, jobs, definitions, the
// outbox …) are in the files named after them; keys.go lists all tables.
// Nothing here decides anything. Bytes: docs/formats/keys.md.
package state
