package cluster

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

// Kind says what a step does.
type Kind string

// The kinds of steps.
const (
	Learn    Kind = "learn"    // a partition is copied to a node, which does not vote yet
	Promote  Kind = "promote"  // a node that has the copy votes
	Drop     Kind = "drop"     // a node keeps the partition no more
	Lead     Kind = "lead"     // a node leads the partition, if it can
	Leave    Kind = "leave"    // a node that keeps nothing is no member any more
	Factor   Kind = "factor"   // the replication factor is noted
	Found    Kind = "found"    // a new partition begins on one node
	Define   Kind = "define"   // a new partition is given all definitions
	Activate Kind = "activate" // a new partition is given work
)

// Step is one change, small enough that a partition keeps its majority
// throughout: one node of one partition.
type Step struct {
	Kind      Kind                 `json:"kind"`
	Partition protocol.PartitionID `json:"partition,omitempty"`
	Node      int                  `json:"node"`
	// Position of the node among the replicas, for Promote; the number, for Factor.
	Position int    `json:"position"`
	Note     string `json:"note,omitempty"` // what happened, if it is worth telling
}

// String says what the step does.
func (s Step) String() string {
	switch s.Kind {
	case Learn:
		return fmt.Sprintf("copy partition %d to node %d", s.Partition, s.Node)
	case Promote:
		return fmt.Sprintf("let node %d vote in partition %d", s.Node, s.Partition)
	case Drop:
		return fmt.Sprintf("take partition %d from node %d", s.Partition, s.Node)
	case Lead:
		return fmt.Sprintf("move the leadership of partition %d to node %d", s.Partition, s.Node)
	case Leave:
		return fmt.Sprintf("let node %d leave", s.Node)
	case Factor:
		return fmt.Sprintf("note the replication factor %d", s.Position)
	case Found:
		return fmt.Sprintf("begin partition %d on node %d", s.Partition, s.Node)
	case Define:
		return fmt.Sprintf("give partition %d all definitions", s.Partition)
	case Activate:
		return fmt.Sprintf("give partition %d work", s.Partition)
	}
	return fmt.Sprintf("step %q", string(s.Kind))
}
