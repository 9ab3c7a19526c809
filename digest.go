package grevy

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"

	"github.com/grevy-io/grevy/protocol"
)

// ReplicaDigest stands for all that one node keeps of a partition. Nodes that have
// applied the same index have the same digest, or one of them is wrong.
type ReplicaDigest struct {
	Partition int    `json:"partition"`
	Index     uint64 `json:"index"` // last applied
	Rows      int64  `json:"rows"`
	Sum       string `json:"sum"`
	// Lacking counts resources that the partition names and this node does not
	// have, or not as they were. It is 0.
	Lacking int64 `json:"lacking"`
}

// Digest reads all that this node keeps of a partition, beside everything else.
func (b *Broker) Digest(ctx context.Context, partition int) (ReplicaDigest, error) {
	part := b.part(protocol.PartitionID(partition))
	if part == nil {
		return ReplicaDigest{}, fmt.Errorf("partition %d is not kept on node %d", partition, b.NodeID)
	}
	d, err := part.Group().Digest(ctx)
	if err != nil {
		return ReplicaDigest{}, fmt.Errorf("partition %d: %w", partition, err)
	}
	return ReplicaDigest{Partition: partition, Index: d.Index, Rows: d.Rows, Sum: hex.EncodeToString(d.Sum[:]), Lacking: d.Lacking}, nil
}

func (b *Broker) serveDigest(w http.ResponseWriter, r *http.Request) {
	partition, err := strconv.Atoi(r.FormValue("partition"))
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "partition: " + strconv.Quote(r.FormValue("partition")) + " is not a number"})
		return
	}
	d, err := b.Digest(r.Context(), partition)
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, d)
}
