package grevy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Query says what to list. The zero Query lists the first hundred of all
// partitions.
type Query struct {
	// Name is that of a process (of incidents and instances) or of a message;
	// empty: of all.
	Name string
	// Partition is the only one that is asked; 0: all of them.
	Partition int
	// Limit is how many are listed at most; 0: a hundred.
	Limit int
}

// Unheard is a partition that could not say, or not all of it.
type Unheard struct {
	Partition int    `json:"partition"`
	Reason    string `json:"reason"`
}

// Listed is what a list may lack.
type Listed struct {
	More    bool      `json:"more"` // there are more than the limit
	Unheard []Unheard `json:"unheard"`
}

// IncidentInfo is one incident: what stopped, where, and since when.
type IncidentInfo struct {
	Key           string    `json:"key"`
	Partition     int       `json:"partition"`
	InstanceKey   string    `json:"instanceKey,omitempty"` // none: it is of no instance
	ProcessID     string    `json:"processId,omitempty"`
	Version       int32     `json:"version,omitempty"`
	DefinitionKey string    `json:"definitionKey,omitempty"`
	ElementID     string    `json:"elementId,omitempty"`
	ElementKey    string    `json:"elementKey,omitempty"`
	JobKey        string    `json:"jobKey,omitempty"` // set its retries before it is resolved
	Type          string    `json:"type"`
	Message       string    `json:"message"` // the first 4 kB
	Since         time.Time `json:"since"`
}

// Incidents are those of all partitions, oldest first.
type Incidents struct {
	Listed
	Incidents []IncidentInfo `json:"incidents"`
}

// MessageInfo is a message that is kept for those who do not wait for it yet.
type MessageInfo struct {
	Key            string    `json:"key"`
	Partition      int       `json:"partition"`
	Name           string    `json:"name"`
	CorrelationKey string    `json:"correlationKey"`
	ID             string    `json:"id,omitempty"`
	Until          time.Time `json:"until"`
	Bytes          int64     `json:"bytes"` // of its variables
	Had            []string  `json:"had"`   // processes of which an instance has had it, the first 20
}

// Messages are those of all partitions, those first that are forgotten first.
type Messages struct {
	Listed
	Messages []MessageInfo `json:"messages"`
}

// Incidents asks the leaders of all partitions for their incidents. What they
// tell is committed, and may be a moment old.
func (b *Broker) Incidents(ctx context.Context, q Query) Incidents {
	rows, listed := everywhere(ctx, b, q, func(ctx context.Context, p protocol.PartitionID, after protocol.Key, limit int32) ([]protocol.IncidentRow, protocol.Key, error) {
		reply, err := ask[*protocol.Incidents](ctx, b, p, &protocol.ListIncidents{After: after, ProcessID: q.Name, Limit: limit})
		if err != nil {
			return nil, 0, err
		}
		return reply.List, reply.Next, nil
	}, func(x, y *protocol.IncidentRow) int {
		return cmp.Or(cmp.Compare(x.Since, y.Since), cmp.Compare(x.Key, y.Key))
	})
	found := Incidents{Listed: listed, Incidents: []IncidentInfo{}}
	for i := range rows {
		found.Incidents = append(found.Incidents, incidentInfo(&rows[i]))
	}
	return found
}

func incidentInfo(i *protocol.IncidentRow) IncidentInfo {
	return IncidentInfo{
		Key: i.Key.String(), Partition: int(i.Key.Partition()), InstanceKey: keyText(i.Instance), ProcessID: i.ProcessID, Version: i.Version,
		DefinitionKey: keyText(i.Definition), ElementID: i.ElementID, ElementKey: keyText(i.Element), JobKey: keyText(i.Job),
		Type: i.Type, Message: i.Message, Since: time.UnixMilli(i.Since),
	}
}

func keyText(k protocol.Key) string {
	if k == 0 {
		return ""
	}
	return k.String()
}

// Messages asks the leaders of all partitions for the messages that they keep.
func (b *Broker) Messages(ctx context.Context, q Query) Messages {
	rows, listed := everywhere(ctx, b, q, func(ctx context.Context, p protocol.PartitionID, after protocol.MessagePlace, limit int32) ([]protocol.MessageRow, protocol.MessagePlace, error) {
		reply, err := ask[*protocol.Messages](ctx, b, p, &protocol.ListMessages{After: after, Name: q.Name, Limit: limit})
		if err != nil {
			return nil, after, err
		}
		return reply.List, reply.Next, nil
	}, func(x, y *protocol.MessageRow) int {
		return cmp.Or(cmp.Compare(x.Place.Deadline, y.Place.Deadline), cmp.Compare(x.Place.Key, y.Place.Key))
	})
	found := Messages{Listed: listed, Messages: []MessageInfo{}}
	for i := range rows {
		m := &rows[i]
		found.Messages = append(found.Messages, MessageInfo{
			Key: m.Place.Key.String(), Partition: int(m.Place.Key.Partition()), Name: m.Name, CorrelationKey: m.CorrelationKey, ID: m.ID,
			Until: time.UnixMilli(m.Place.Deadline), Bytes: m.Size, Had: append([]string{}, m.Had...),
		})
	}
	return found
}

// Instances asks the leaders of all partitions for their active process
// instances.
func (b *Broker) Instances(ctx context.Context, q Query) Instances {
	rows, listed := everywhere(ctx, b, q, func(ctx context.Context, p protocol.PartitionID, after protocol.Key, limit int32) ([]protocol.InstanceRow, protocol.Key, error) {
		reply, err := ask[*protocol.Instances](ctx, b, p, &protocol.ListInstances{After: after, ProcessID: q.Name, Limit: limit})
		if err != nil {
			return nil, 0, err
		}
		return reply.List, reply.Next, nil
	}, func(x, y *protocol.InstanceRow) int {
		return cmp.Or(cmp.Compare(x.Started, y.Started), cmp.Compare(x.Key, y.Key))
	})
	found := Instances{Listed: listed, Instances: []InstanceInfo{}}
	for i := range rows {
		found.Instances = append(found.Instances, instanceInfo(&rows[i]))
	}
	return found
}

// Instance asks for all that is active in a process instance. The key is its own
// or that of an element instance, a job or an incident in it. Of each variable's
// value the first maxValue bytes are told. The error is a *protocol.Rejection if
// there is no such instance.
func (b *Broker) Instance(ctx context.Context, key protocol.Key, maxValue int) (*InstanceTree, error) {
	if p := key.Partition(); p < 1 || int(p) > b.partitionCount() {
		return nil, protocol.Reject(protocol.NotFound, "INSPECT", "Expected a key of one of the %d partitions, but '%d' is of partition %d", b.partitionCount(), key, p)
	}
	reply, err := ask[*protocol.InstanceTree](ctx, b, key.Partition(), &protocol.InspectInstance{Key: key, MaxValue: int32(min(max(maxValue, 0), 1<<30))})
	if err != nil {
		return nil, err
	}
	return instanceTree(reply), nil
}

// pageSize is how many rows are asked for at once.
const pageSize = 500

// everywhere asks partitions, each until it has told all or the limit is
// reached, and merges what they say. A page ends with where the next one goes on.
func everywhere[T any, At comparable](
	ctx context.Context, b *Broker, q Query,
	page func(context.Context, protocol.PartitionID, At, int32) ([]T, At, error), order func(x, y *T) int,
) (all []T, listed Listed) {
	limit := q.Limit
	if limit < 1 {
		limit = 100
	}
	partitions := b.partitionCount()
	lists, errs := make([][]T, partitions+1), make([]error, partitions+1)
	var wg sync.WaitGroup
	for p := 1; p <= partitions; p++ {
		if q.Partition != 0 && q.Partition != p {
			continue
		}
		wg.Go(func() {
			var at, end At
			for {
				list, next, err := page(ctx, protocol.PartitionID(p), at, int32(min(limit+1, pageSize)))
				lists[p], at = append(lists[p], list...), next
				if errs[p] = err; err != nil || at == end || len(lists[p]) > limit {
					return
				}
			}
		})
	}
	wg.Wait()
	listed.Unheard = []Unheard{}
	for p, list := range lists {
		all = append(all, list...)
		if errs[p] != nil {
			listed.Unheard = append(listed.Unheard, Unheard{p, unheardText(errs[p], len(list))})
		}
	}
	slices.SortFunc(all, func(x, y T) int { return order(&x, &y) })
	listed.More = len(all) > limit
	return all[:min(len(all), limit)], listed
}

func unheardText(err error, told int) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time"
	}
	if told > 0 {
		return fmt.Sprintf("told of %d, then: %s", told, text)
	}
	return text
}

func stateText(s uint8) string { return state.ElementState(s).String() }
