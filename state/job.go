package state

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// JobState is where a job stands. The names are the original's.
type JobState byte

// The states. A completed or cancelled job leaves no record.
const (
	JobActivatable JobState = iota + 1
	JobActivated
	JobFailed // no retries left, or waiting for its back-off to end
	JobErrorThrown
)

// String gives the original's name, shown in rejections.
func (s JobState) String() string {
	return [...]string{"", "ACTIVATABLE", "ACTIVATED", "FAILED", "ERROR_THROWN"}[s]
}

// Job is work that waits for a worker or is with one.
type Job struct {
	Key, Element, Instance, Definition protocol.Key
	Type, ElementID, ProcessID         string
	Version                            int32
	State                              JobState
	Retries                            int32
	Deadline                           int64 // ms; of the lock, or of the back-off
	Worker                             string
	Headers                            []byte // JSON object; nil: the model's
	Incident                           protocol.Key
}

// AppendJob encodes j.
func AppendJob(b []byte, j *Job) []byte {
	for _, k := range [...]protocol.Key{j.Key, j.Element, j.Instance, j.Definition, j.Incident} {
		b = protocol.AppendInt(b, int64(k))
	}
	for _, s := range [...]string{j.Type, j.ElementID, j.ProcessID, j.Worker} {
		b = protocol.AppendString(b, s)
	}
	b = append(protocol.AppendInt(b, int64(j.Version)), byte(j.State))
	b = protocol.AppendInt(protocol.AppendInt(b, int64(j.Retries)), j.Deadline)
	return protocol.AppendBytes(b, j.Headers)
}

// ReadJob decodes what AppendJob made. It shares memory with b.
func ReadJob(b []byte) (*Job, error) {
	r := protocol.NewReader(b)
	j := &Job{
		Key: r.Key(), Element: r.Key(), Instance: r.Key(), Definition: r.Key(), Incident: r.Key(),
		Type: text(r), ElementID: text(r), ProcessID: text(r), Worker: text(r),
		Version: int32(r.Int()), State: JobState(r.Byte()), Retries: int32(r.Int()), Deadline: r.Int(),
		Headers: r.Bytes(),
	}
	if r.Err() == nil && (j.State < JobActivatable || j.State > JobErrorThrown) {
		return nil, protocol.ErrCorrupt
	}
	return j, r.Done()
}

// Job reads a job, nil if there is none.
func (t *Tx) Job(k protocol.Key) *Job {
	b := t.get(TableJob, k)
	if b == nil {
		return nil
	}
	j, err := ReadJob(b)
	if err != nil {
		t.Fail(err)
		return nil
	}
	return j
}

// PutJob writes a job and moves it between the indexes: it stands in the one of
// activatable jobs by type, of locks by deadline, or of back-offs by their end.
// old is the job as it was stored, nil if it is new.
func (t *Tx) PutJob(old, j *Job) {
	stored := AppendJob(row(jobSize), j)
	if old == nil {
		t.insertRow(t.key(TableJob, j.Key), stored)
	} else {
		t.putRow(t.key(TableJob, j.Key), stored)
		if j.sameIndex(old) {
			return
		}
		t.deleteIndex(old)
	}
	if t.lookup = j.appendIndex(t.lookup[:0]); len(t.lookup) > 0 {
		t.insertRow(t.lookup, row(0)) // absent: a job has one index row, and it was another
	}
}

// DeleteJob removes a job and its index row.
func (t *Tx) DeleteJob(j *Job) {
	t.Delete(t.key(TableJob, j.Key))
	t.deleteIndex(j)
}

func (t *Tx) deleteIndex(j *Job) {
	if t.lookup = j.appendIndex(t.lookup[:0]); len(t.lookup) > 0 {
		t.Delete(t.lookup)
	}
}

// sameIndex tells whether both are found under the same row.
func (j *Job) sameIndex(old *Job) bool {
	return j.State == old.State && (j.State == JobActivatable || j.Deadline == old.Deadline) && j.Type == old.Type
}

// appendIndex makes the row under which a job is found by what it waits for;
// nothing if it waits for somebody.
func (j *Job) appendIndex(b []byte) []byte {
	switch {
	case j.State == JobActivatable:
		return binary.BigEndian.AppendUint64(AppendText(append(b, byte(TableActivatable)), j.Type), uint64(j.Key))
	case j.State == JobActivated:
		b = append(b, byte(TableDeadline))
	case j.State == JobFailed && j.Deadline > 0:
		b = append(b, byte(TableBackOff))
	default:
		return b
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(j.Deadline)), uint64(j.Key))
}

// ActivatableJobs walks the jobs of a type that wait for a worker, oldest key
// first, from the first not below from.
func (t *Tx) ActivatableJobs(jobType string, from protocol.Key, fn func(protocol.Key) bool) {
	t.Scan(TableActivatable.OfString(jobType), TableActivatable.OfString(jobType, uint64(from)), func(key, _ []byte) bool {
		return fn(protocol.Key(number(key, 0)))
	})
}

// Due is a row of an index by time: of a job, or of a message that is kept.
type Due struct {
	Time int64 // ms since 1970
	Key  protocol.Key
}

// Due lists up to limit rows of an index by time (TableDeadline, TableBackOff,
// TableExpiry) whose time is not after now, earliest first.
func (t *Tx) Due(index Table, now int64, limit int) (list []Due) {
	t.Scan([]byte{byte(index)}, nil, func(key, _ []byte) bool {
		d := Due{int64(number(key, 1)), protocol.Key(number(key, 0))}
		if d.Time > now {
			return false
		}
		list = append(list, d)
		return len(list) < limit
	})
	return list
}
