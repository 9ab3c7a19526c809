package partitionactor

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Bounds of one answer to an operator. A list goes on where the one before it
// ended, so that a partition with a million instances can be read too.
const (
	maxPage     = 500    // rows of a list
	maxSeen     = 20_000 // rows that are looked at for it
	maxElements = 500    // element instances of a tree
	maxInside   = 100    // of them in one scope
	maxLooked   = 50     // of an instance in a list of them
	maxShown    = 100    // variables of a scope
	maxValue    = 64 << 10
	maxValues   = 1 << 20 // bytes of all values of a tree
	maxText     = 4 << 10 // of an incident's message
	maxNames    = 20      // of what is only named
)

func page(limit int32) int { return int(min(max(limit, 1), maxPage)) }

func (o *outbox) incidents(c *protocol.ListIncidents) (protocol.Reply, error) {
	reply, seen := &protocol.Incidents{}, 0
	err := o.read(func(tx *state.Tx) error {
		tx.CommittedIncidents(c.After, func(i *state.Incident) bool {
			if seen++; seen > maxSeen || len(reply.List) == page(c.Limit) {
				return false
			}
			reply.Next = i.Key
			if row := incidentRow(tx, i); c.ProcessID == "" || row.ProcessID == c.ProcessID {
				reply.List = append(reply.List, row)
			}
			return true
		})
		if seen <= maxSeen && len(reply.List) < page(c.Limit) {
			reply.Next = 0
		}
		return tx.Err()
	})
	return reply, err
}

func incidentRow(tx *state.Tx, i *state.Incident) protocol.IncidentRow {
	row := protocol.IncidentRow{
		Key: i.Key, Instance: i.Instance, Element: i.Element, Job: i.Job, Type: i.Type, Message: i.Message[:min(len(i.Message), maxText)], Since: i.Since,
	}
	if e := tx.Element(i.Element); e != nil {
		row.ElementID, row.Definition = e.Element, e.Definition
	}
	if root := tx.Element(i.Instance); root != nil {
		row.ProcessID, row.Version = root.ProcessID, root.Version
	}
	return row
}

func (o *outbox) instances(c *protocol.ListInstances) (protocol.Reply, error) {
	reply, seen := &protocol.Instances{}, 0
	err := o.read(func(tx *state.Tx) error {
		tx.CommittedElements(c.After, func(k protocol.Key, root bool) bool {
			if seen++; seen > maxSeen || len(reply.List) == page(c.Limit) {
				return false
			}
			reply.Next = k
			if !root {
				return true
			}
			e := tx.Element(k)
			if e != nil && (c.ProcessID == "" || e.ProcessID == c.ProcessID) {
				reply.List = append(reply.List, summary(tx, e))
			}
			return e != nil
		})
		if seen <= maxSeen && len(reply.List) < page(c.Limit) {
			reply.Next = 0
		}
		return tx.Err()
	})
	return reply, err
}

// instanceRow is what a process's own record says of it.
func instanceRow(e *state.ElementInstance) protocol.InstanceRow {
	row := protocol.InstanceRow{
		Key: e.Key, Definition: e.Definition, ProcessID: e.ProcessID, Version: e.Version, State: uint8(e.State), Started: e.Started,
		Children: int64(len(e.Children)) + e.Spilled,
	}
	if e.Extra != nil {
		row.Caller = e.Extra.Caller
	}
	return row
}

// summary looks at the first elements of an instance too.
func summary(tx *state.Tx, e *state.ElementInstance) protocol.InstanceRow {
	row := instanceRow(e)
	row.Incidents = min(1, int64(e.Incident))
	named := map[string]bool{}
	for queue, looked := tx.Children(e, maxLooked), 0; len(queue) > 0 && looked < maxLooked; looked++ {
		c := tx.Element(queue[0])
		if queue = queue[1:]; c == nil {
			continue
		}
		if hasIncident(tx, c) {
			row.Incidents++
		}
		if c.HasChildren() {
			queue = append(queue, tx.Children(c, maxLooked)...)
		} else if !named[c.Element] && len(row.At) < maxNames {
			named[c.Element] = true
			row.At = append(row.At, c.Element)
		}
	}
	return row
}

func hasIncident(tx *state.Tx, e *state.ElementInstance) bool {
	if e.Incident != 0 || e.Job == 0 {
		return e.Incident != 0
	}
	j := tx.Job(e.Job)
	return j != nil && j.Incident != 0
}

func (o *outbox) inspectInstance(c *protocol.InspectInstance) (protocol.Reply, error) {
	reply := &protocol.InstanceTree{}
	err := o.read(func(tx *state.Tx) error {
		root := tx.Element(instanceOf(tx, c.Key))
		if root == nil {
			if tx.Err() != nil {
				return tx.Err()
			}
			return protocol.Reject(protocol.NotFound, c.Intent(), "Expected to find an active process instance with key '%d', or one with an element, job or incident with this key, but found none", c.Key)
		}
		reply.Instance = summary(tx, root)
		t := tree{tx: tx, maxValue: int(min(max(c.MaxValue, 0), maxValue)), values: maxValues}
		t.add(root)
		reply.Elements = t.list
		return tx.Err()
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// instanceOf finds the process instance that a key belongs to, 0 if none does.
func instanceOf(tx *state.Tx, k protocol.Key) protocol.Key {
	if e := tx.Element(k); e != nil {
		return e.Instance
	}
	if j := tx.Job(k); j != nil {
		return j.Instance
	}
	if i := tx.Incident(k); i != nil {
		return i.Instance
	}
	return 0
}

func (o *outbox) messages(c *protocol.ListMessages) (protocol.Reply, error) {
	reply, seen := &protocol.Messages{}, 0
	err := o.read(func(tx *state.Tx) error {
		tx.CommittedMessages(c.After, func(place protocol.MessagePlace, name, correlationKey string) bool {
			if seen++; seen > maxSeen || len(reply.List) == page(c.Limit) {
				return false
			}
			reply.Next = place
			if c.Name != "" && name != c.Name {
				return true
			}
			m := tx.Message(name, correlationKey, place.Key)
			if m == nil {
				tx.Fail(protocol.ErrCorrupt)
				return false
			}
			reply.List = append(reply.List, protocol.MessageRow{
				Place: place, Name: name, CorrelationKey: correlationKey, ID: m.ID, Size: int64(len(m.Variables)), Had: tx.Had(place.Key, maxNames),
			})
			return true
		})
		if seen <= maxSeen && len(reply.List) < page(c.Limit) {
			reply.Next = protocol.MessagePlace{}
		}
		return tx.Err()
	})
	return reply, err
}
