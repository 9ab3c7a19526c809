package enginetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// records on|full|off: steps print what they record, a line for each; full
// with their values.
func init() { verbs["records"] = setRecords }

func setRecords(t *transcript, c *call) error {
	what := c.word(0)
	switch what {
	case "on", "full", "off":
	default:
		return fmt.Errorf("records are on, full or off, not %q", what)
	}
	t.records = what
	t.cluster.SetRecords(what != "off")
	return nil
}

// SetRecords lets the engines record what happens, or not.
func (c *Cluster) SetRecords(on bool) {
	c.Records = on
	for _, p := range c.partitions {
		p.newEngine()
	}
}

// Recorded lists the records that an entry carries.
func (e *Entry) Recorded() (list []protocol.Record, err error) {
	err = e.each(func(o *protocol.Op) error {
		if o.Kind != protocol.OpRecords {
			return nil
		}
		r := protocol.NewReader(o.Value)
		for r.Int(); r.Len() > 0; {
			rec, err := protocol.ReadRecord(r)
			if err != nil {
				return err
			}
			if !json.Valid(rec.Value) {
				return fmt.Errorf("%s %s: value is no JSON: %s", rec.ValueType, rec.Intent, rec.Value)
			}
			list = append(list, rec)
		}
		return r.Err()
	})
	return list, err
}

// printRecords prints what an entry records.
func (s *session) printRecords(c *call, e *Entry) error {
	list, err := e.Recorded()
	for i := range list {
		r := &list[i]
		line := fmt.Sprintf("%s %s %d %s", r.ValueType, r.Intent, r.Key, recordSubject(r))
		if r.Type != protocol.RecordEvent {
			line = r.Type.String() + " " + line
		}
		c.print("> %s", strings.TrimSpace(line))
		if s.records == "full" {
			c.print("    %s", r.Value)
		}
	}
	return err
}

// recordSubject is what a record is about.
func recordSubject(r *protocol.Record) string {
	var v struct {
		ElementID, TargetElementID, Name, Value, ErrorType, BpmnProcessID string
	}
	if json.Unmarshal(r.Value, &v) != nil {
		return "?"
	}
	switch {
	case v.Name != "":
		return v.Name + "=" + v.Value
	case v.ErrorType != "" && v.ErrorType != "UNKNOWN":
		return v.ElementID + " " + v.ErrorType
	case v.TargetElementID != "":
		return v.TargetElementID
	case v.ElementID != "":
		return v.ElementID
	}
	return v.BpmnProcessID
}
