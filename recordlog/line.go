package recordlog

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/grevy-io/grevy/protocol"
)

// ordinalBits is how many bits of a position count the records of one entry.
const ordinalBits = 18

// Position is the place of a record in its partition's log: that of its entry
// and its number there, so that it is the same whenever the entry is read again.
func Position(index, ordinal uint64) uint64 {
	return index<<ordinalBits | min(ordinal, 1<<ordinalBits-1)
}

// Origin is what all records of a partition have in common.
type Origin struct {
	Partition protocol.PartitionID
	Version   string // of the broker, as clients see it
}

// AppendEntry appends the lines of all records that an entry carries; n is how
// many there are.
func (o Origin) AppendEntry(b []byte, index uint64, entry []byte) (_ []byte, n int, err error) {
	r := protocol.NewReader(entry)
	if _, err := protocol.ReadEntryHeader(r); err != nil {
		return b, 0, err
	}
	ordinal := uint64(0)
	for r.Len() > 0 {
		op, err := protocol.ReadOp(r)
		if err != nil {
			return b, n, fmt.Errorf("entry %d: %w", index, err)
		}
		if op.Kind != protocol.OpRecords {
			continue
		}
		first := ordinal
		list := protocol.NewReader(op.Value)
		for now := list.Int(); list.Len() > 0; ordinal++ {
			rec, err := protocol.ReadRecord(list)
			if err != nil {
				return b, n, fmt.Errorf("record of entry %d: %w", index, err)
			}
			source := int64(-1)
			if rec.Source > 0 {
				source = int64(Position(index, first+rec.Source-1))
			}
			b = o.appendLine(b, &rec, now, Position(index, ordinal), source)
			n++
		}
	}
	return b, n, nil
}

// appendLine writes one record as the original's exporters do.
func (o Origin) appendLine(b []byte, r *protocol.Record, now int64, position uint64, source int64) []byte {
	key, rejection := int64(r.Key), "NULL_VAL"
	if key == 0 {
		key = -1
	}
	if r.Type == protocol.RecordRejection {
		rejection = r.RejectionType
	}
	b = strconv.AppendInt(append(b, `{"partitionId":`...), int64(o.Partition), 10)
	b = append(append(b, `,"value":`...), r.Value...)
	b = strconv.AppendInt(append(b, `,"key":`...), key, 10)
	b = strconv.AppendUint(append(b, `,"position":`...), position, 10)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), now, 10)
	b = strconv.AppendInt(append(b, `,"recordVersion":1,"sourceRecordPosition":`...), source, 10)
	b = append(append(append(b, `,"valueType":"`...), r.ValueType...), `","brokerVersion":`...)
	b = appendText(b, o.Version)
	b = append(append(append(b, `,"authorizations":{"authorized_tenants":["<default>"]},"intent":"`...), r.Intent...), `","rejectionType":"`...)
	b = appendText(append(append(b, rejection...), `","rejectionReason":`...), r.Reason)
	b = append(append(append(b, `,"recordType":"`...), r.Type.String()...), `","operationReference":-1}`...)
	return append(b, '\n')
}

func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return append(b, `""`...)
	}
	return append(b, text...)
}
