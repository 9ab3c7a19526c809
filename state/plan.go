package state

import (
	"bytes"
	"encoding/binary"
)

var planKey = append(TableMeta.Key(5), "plan"...)

// Plan reads the cluster's plan and its version; 0 if none was written.
func (t *Tx) Plan() (version uint64, plan []byte) {
	b := t.Get(planKey)
	if len(b) < 8 {
		return 0, nil
	}
	return binary.BigEndian.Uint64(b), bytes.Clone(b[8:])
}

// SetPlan writes it.
func (t *Tx) SetPlan(version uint64, plan []byte) {
	t.Put(planKey, append(binary.BigEndian.AppendUint64(nil, version), plan...))
}
