package protocol

import "fmt"

// PartitionID names a partition, counted from 1. Zero is no partition.
type PartitionID uint16

// NodeID names a node of the cluster, counted from 0.
type NodeID int32

// NoNode is the NodeID of nobody, for instance of a missing leader.
const NoNode NodeID = -1

// DeploymentPartition is the partition to which every deployment goes first.
const DeploymentPartition PartitionID = 1

// Key names an entity for ever. The partition that minted it stands above bit
// 51, a counter of that partition below (as in Zeebe).
type Key int64

const keyBits = 51

// MaxCounter is the last counter a partition can mint.
const MaxCounter = 1<<keyBits - 1

// NewKey puts a key together.
func NewKey(p PartitionID, counter int64) Key {
	return Key(int64(p)<<keyBits | counter)
}

// Partition returns the partition that minted the key. A key no partition can
// have minted, such as a negative one, gives 0.
func (k Key) Partition() PartitionID {
	if k < 0 {
		return 0
	}
	return PartitionID(k >> keyBits)
}

// Counter returns the number within the partition.
func (k Key) Counter() int64 { return int64(k) & MaxCounter }

// String prints the key as clients know it, a plain number.
func (k Key) String() string { return fmt.Sprintf("%d", int64(k)) }
