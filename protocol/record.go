package protocol

// RecordType says what a record is. The numbers stand in entries.
type RecordType byte

// The types.
const (
	RecordEvent     RecordType = 1
	RecordCommand   RecordType = 2
	RecordRejection RecordType = 3
)

// String gives the original's name.
func (t RecordType) String() string {
	switch t {
	case RecordEvent:
		return "EVENT"
	case RecordCommand:
		return "COMMAND"
	case RecordRejection:
		return "COMMAND_REJECTION"
	}
	return "NULL_VAL"
}

// Record is one thing that a command has led to, for the record log: what the
// original's exporters see.
type Record struct {
	Type              RecordType
	ValueType, Intent string
	Key               Key
	// Source is the number, from 1, of the command among the records of the
	// same op that has led to it; 0: none.
	Source uint64
	Value  []byte // JSON object
	// RejectionType and Reason are those of a RecordRejection.
	RejectionType, Reason string
}

// AppendRecord encodes r.
func AppendRecord(b []byte, r *Record) []byte {
	b = append(b, byte(r.Type))
	b = AppendString(AppendString(b, r.ValueType), r.Intent)
	b = AppendUint(AppendInt(b, int64(r.Key)), r.Source)
	if r.Type == RecordRejection {
		b = AppendString(AppendString(b, r.RejectionType), r.Reason)
	}
	return AppendBytes(b, r.Value)
}

// ReadRecord decodes what AppendRecord made. It shares memory with the reader's
// bytes.
func ReadRecord(r *Reader) (Record, error) {
	rec := Record{Type: RecordType(r.Byte()), ValueType: r.String(), Intent: r.String(), Key: r.Key(), Source: r.Uint()}
	switch rec.Type {
	case RecordEvent, RecordCommand:
	case RecordRejection:
		rec.RejectionType, rec.Reason = r.String(), r.String()
	default:
		r.fail("record type")
	}
	rec.Value = r.Bytes()
	return rec, r.Err()
}
