package scenarios

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// record is what the traces need of a record.
type record struct {
	ValueType, Intent, RecordType string
	Key                           int64
	Value                         struct {
		BpmnProcessID, ElementID, BpmnElementType, BpmnEventType               string
		ProcessInstanceKey, ProcessDefinitionKey, ScopeKey, ElementInstanceKey int64
		Version                                                                int
		Name                                                                   string
		Value                                                                  json.RawMessage
		ErrorType, ErrorMessage                                                string
		TargetElementID, MessageName, CorrelationKey, SignalName               string
		CatchEventID                                                           string
		CatchEventInstanceKey                                                  int64
		JobKind, JobListenerEventType                                          string
	}
}

// store keeps the events by the scenario that they belong to.
type store struct {
	mark    string // in every name of this broker's scenarios
	mu      sync.Mutex
	events  map[string][]*record
	owner   map[int64]string // process instance or definition: scenario
	element map[int64]string // element instance: element
	news    chan struct{}    // closed when there is another event
	kinds   map[recordKind]bool
}

// recordKind is what docs/records.md lists.
type recordKind struct{ valueType, recordType, intent string }

func newStore(mark string) *store {
	return &store{mark: mark, events: map[string][]*record{}, owner: map[int64]string{}, element: map[int64]string{}, news: make(chan struct{}), kinds: map[recordKind]bool{}}
}

// add takes a record of the broker.
func (s *store) add(_ int, line []byte) error {
	r := &record{}
	if err := json.Unmarshal(line, r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[recordKind{r.ValueType, r.RecordType, r.Intent}] = true
	if r.RecordType != "EVENT" {
		return nil
	}
	v := &r.Value
	who := s.whose(r)
	if who == "" {
		return nil
	}
	for _, k := range []int64{v.ProcessInstanceKey, v.ProcessDefinitionKey} {
		if k > 0 {
			s.owner[k] = who
		}
	}
	if r.ValueType == "PROCESS_INSTANCE" {
		s.element[r.Key] = v.ElementID
	} else if id, ok := s.element[v.ElementInstanceKey]; ok {
		v.ElementID = id // the original writes another one after an uncaught error
	}
	s.events[who] = append(s.events[who], r)
	close(s.news)
	s.news = make(chan struct{})
	return nil
}

// whose tells which scenario an event belongs to.
func (s *store) whose(r *record) string {
	v := &r.Value
	if name, _, ok := strings.Cut(v.BpmnProcessID, s.mark); ok {
		return name + s.mark
	}
	if who := s.owner[v.ProcessInstanceKey]; who != "" {
		return who
	}
	return s.owner[v.ProcessDefinitionKey]
}

// of gives the events of a scenario, and what is closed when there is another
// one of any.
func (s *store) of(who string) ([]*record, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.events[who]
	return list[:len(list):len(list)], s.news
}

// wait waits until enough says so of a scenario's events.
func (s *store) wait(ctx context.Context, who string, enough func([]*record) bool) bool {
	seen := -1
	for {
		list, news := s.of(who)
		if len(list) != seen && enough(list) {
			return true
		}
		seen = len(list)
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}

// calm is how long a scenario must have had no event to count as over.
const calm = 120 * time.Millisecond

// settles waits until is says so of a scenario that has come to rest.
func (s *store) settles(ctx context.Context, who string, patience time.Duration, is func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		list, _ := s.of(who)
		quiet, over := context.WithTimeout(ctx, calm)
		more := s.wait(quiet, who, func(now []*record) bool { return len(now) > len(list) })
		over()
		if more {
			continue
		}
		if is() {
			return true
		}
		s.wait(ctx, who, func(now []*record) bool { return len(now) > len(list) })
	}
	return is()
}
