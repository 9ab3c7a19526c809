package protocol

import (
	"errors"
	"fmt"
)

// RejectionType says why a command was rejected. The names are the
// original's; the gateway turns them into a status (Zeebe 8.6).
type RejectionType uint8

// The rejection types of the original, and their numbers on the wire.
const (
	InvalidArgument RejectionType = iota + 1
	NotFound
	AlreadyExists
	InvalidState
	ProcessingError
	ExceededBatchRecordSize
)

var rejectionNames = [...]string{"", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "INVALID_STATE", "PROCESSING_ERROR", "EXCEEDED_BATCH_RECORD_SIZE"}

// String gives the original's name.
func (t RejectionType) String() string {
	if int(t) < len(rejectionNames) && t > 0 {
		return rejectionNames[t]
	}
	return fmt.Sprintf("REJECTION_%d", uint8(t))
}

// Rejection is the engine's no: the command was looked at and changes nothing.
type Rejection struct {
	Type   RejectionType
	Intent string // of the command, for instance CREATE
	Reason string
}

// Error prints the rejection as the original's clients see it.
func (r *Rejection) Error() string {
	return fmt.Sprintf("Command '%s' rejected with code '%s': %s", r.Intent, r.Type, r.Reason)
}

// Reject makes a rejection with a formatted reason.
func Reject(t RejectionType, intent, format string, args ...any) *Rejection {
	return &Rejection{Type: t, Intent: intent, Reason: fmt.Sprintf(format, args...)}
}

// RefusalCode says at which door a command was turned away.
type RefusalCode uint8

// The doors.
const (
	// NotLeader: this node does not lead the partition, or no longer takes
	// commands for it. Another node may.
	NotLeader RefusalCode = iota + 1
	// Full: the partition's in-flight limit is reached.
	Full
	// Unreachable: no way to the leader, or no leader known.
	Unreachable
	// NoPartition: the cluster has no such partition.
	NoPartition
	// DefinitionUnknown: the partition lacks the definition and could not
	// reach the deployment partition to ask for it.
	DefinitionUnknown
	// NoSpace: the disk of the partition's leader has too little room.
	NoSpace
	// Restoring: the partition is being filled from a backup.
	Restoring
)

var refusalNames = [...]string{"", "not the leader", "in-flight limit reached", "unreachable", "no such partition", "definition unknown here", "out of disk space", "being restored from a backup"}

// String names the door.
func (c RefusalCode) String() string {
	if int(c) < len(refusalNames) && c > 0 {
		return refusalNames[c]
	}
	return fmt.Sprintf("refusal %d", uint8(c))
}

// Refusal proves that a command was not executed: it may be sent again.
type Refusal struct {
	Code      RefusalCode
	Partition PartitionID
	Detail    string
}

func (r *Refusal) Error() string {
	s := fmt.Sprintf("partition %d: %s", r.Partition, r.Code)
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Refuse makes a refusal with a formatted detail.
func Refuse(c RefusalCode, p PartitionID, format string, args ...any) *Refusal {
	return &Refusal{Code: c, Partition: p, Detail: fmt.Sprintf(format, args...)}
}

// ErrOutcomeUnknown says that a command may or may not have been executed:
// the leadership ended or the link broke between its acceptance and its answer.
var ErrOutcomeUnknown = errors.New("outcome unknown")

// ErrInternal says that a command failed on a mistake of ours; it changed nothing.
var ErrInternal = errors.New("internal error")
