package cluster

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

// What says what is requested.
type What string

// The requests.
const (
	Add           What = "add"                // Node gets its share of the replicas
	Remove        What = "remove"             // Node's replicas go elsewhere, then it leaves
	Replace       What = "replace"            // By takes the place of Node, which may be dead
	Move          What = "move"               // Partition goes from Node to By
	SetFactor     What = "replication-factor" // each partition is kept on Count nodes
	Rebalance     What = "rebalance"          // leaders are spread over the nodes
	AddPartitions What = "add-partitions"     // there are Count partitions
	ForceRemove   What = "force-remove"       // Nodes are lost, with what only they had
)

// Request is what an operator wants.
type Request struct {
	What      What                 `json:"what"`
	Node      int                  `json:"node"`
	By        int                  `json:"by"`
	Partition protocol.PartitionID `json:"partition,omitempty"`
	Count     int                  `json:"count,omitempty"`
	Nodes     []int                `json:"nodes,omitempty"`
}

// String is the request as the command line has it.
func (r Request) String() string {
	switch r.What {
	case Add, Remove:
		return fmt.Sprintf("%s %d", r.What, r.Node)
	case Replace:
		return fmt.Sprintf("replace %d --by %d", r.Node, r.By)
	case Move:
		return fmt.Sprintf("move %d --from %d --to %d", r.Partition, r.Node, r.By)
	case SetFactor, AddPartitions:
		return fmt.Sprintf("%s %d", r.What, r.Count)
	case ForceRemove:
		return fmt.Sprintf("force-remove %v", r.Nodes)
	}
	return string(r.What)
}

// Seen is what is known of the nodes when a request is planned.
type Seen struct {
	Alive   map[int]bool
	Leaders map[protocol.PartitionID]int // a partition without a leader is not in it
}
