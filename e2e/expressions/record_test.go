package expressions

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// record is what is read of a record.
type record struct {
	ValueType, Intent, RecordType string
	Timestamp                     int64
	Value                         struct {
		BpmnProcessID, ErrorType, ErrorMessage   string
		MessageName, CorrelationKey, Type        string
		ProcessInstanceKey, ProcessDefinitionKey int64
		DueDate                                  int64
		Repetitions, Retries                     int
		CustomHeaders                            map[string]string
	}
}

// intents are those of the records that are waited for.
var intents = map[string]string{"INCIDENT": "CREATED", "TIMER": "CREATED", "JOB": "CREATED", "PROCESS_MESSAGE_SUBSCRIPTION": "CREATING"}

// watcher keeps what is waited for, by process id and definition key.
type watcher struct {
	mu   sync.Mutex
	seen map[string][]*record
	news chan struct{} // closed when there is another one
}

func newWatcher() *watcher {
	return &watcher{seen: map[string][]*record{}, news: make(chan struct{})}
}

// add takes a record of the broker.
func (w *watcher) add(_ int, line []byte) error {
	r := &record{}
	if err := json.Unmarshal(line, r); err != nil {
		return err
	}
	if r.RecordType != "EVENT" || intents[r.ValueType] != r.Intent {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range []string{r.Value.BpmnProcessID, fmt.Sprint(r.Value.ProcessDefinitionKey)} {
		w.seen[k] = append(w.seen[k], r)
	}
	close(w.news)
	w.news = make(chan struct{})
	return nil
}

// wait waits for a record of one of the types for a process.
func (w *watcher) wait(ctx context.Context, id string, definition int64, types ...string) (*record, error) {
	for {
		w.mu.Lock()
		list, news := slices.Concat(w.seen[id], w.seen[fmt.Sprint(definition)]), w.news
		w.mu.Unlock()
		for _, r := range list {
			if slices.Contains(types, r.ValueType) {
				return r, nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("no record of %v: %w", types, ctx.Err())
		}
	}
}

// outcome says what a record tells of a case whose process is id.
func (r *record) outcome(c *testCase, id string) outcome {
	v := r.Value
	switch r.ValueType {
	case "INCIDENT":
		return outcome{"!", cut(v.ErrorType + ": " + strings.ReplaceAll(v.ErrorMessage, id, "ID"))}
	case "TIMER":
		return value(due(c.Kind, v.DueDate, r.Timestamp, v.Repetitions))
	case "JOB":
		if c.Kind == "user" {
			return value(v.CustomHeaders)
		}
		return value([]any{strings.ReplaceAll(v.Type, id, "ID"), v.Retries})
	}
	if c.Kind == "key" {
		return value(v.CorrelationKey)
	}
	return value(v.MessageName)
}

// due is {"in": seconds, "repeat": n}, or "at" instead: the time itself, where
// that is given, far or past.
func due(kind string, at, now int64, repetitions int) map[string]any {
	m := map[string]any{"repeat": repetitions}
	if in := time.Duration(at-now) * time.Millisecond; in > -10*time.Second && in < 1000*24*time.Hour && !strings.HasSuffix(kind, "date") {
		m["in"] = int(in.Round(10*time.Second) / time.Second)
	} else {
		m["at"] = time.UnixMilli(at).UTC().Format(time.RFC3339)
	}
	return m
}
