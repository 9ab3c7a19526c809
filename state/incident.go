package state

import "github.com/grevy-io/grevy/protocol"

// Incident is a stop that needs somebody's attention.
type Incident struct {
	Key, Element, Instance, Job protocol.Key // Job 0: not of a job
	Type                        string       // the original's error type, for instance JOB_NO_RETRIES
	Message                     string
	// Step is what is tried again when the incident is resolved.
	Step byte
	// Since is when it came up, in ms since 1970.
	Since int64
}

// Incident reads an incident, nil if there is none.
func (t *Tx) Incident(k protocol.Key) *Incident {
	b := t.get(TableIncident, k)
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	i := &Incident{Key: r.Key(), Element: r.Key(), Instance: r.Key(), Job: r.Key(), Type: r.String(), Message: r.String(), Step: r.Byte(), Since: r.Int()}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return i
}

// InsertIncident writes a new incident.
func (t *Tx) InsertIncident(i *Incident) {
	b := make([]byte, 0, 64+len(i.Message))
	for _, k := range [...]protocol.Key{i.Key, i.Element, i.Instance, i.Job} {
		b = protocol.AppendInt(b, int64(k))
	}
	b = append(protocol.AppendString(protocol.AppendString(b, i.Type), i.Message), i.Step)
	b = protocol.AppendInt(b, i.Since)
	t.Insert(TableIncident.OfKey(i.Key), b)
}

// DeleteIncident removes an incident.
func (t *Tx) DeleteIncident(k protocol.Key) { t.Delete(TableIncident.OfKey(k)) }
