package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verbs are what a step can be. It fails if it cannot be done at all; what the
// broker answers goes into the transcript.
var verbs map[string]func(*run, args) error

func init() { // some verbs ask which there are
	verbs = map[string]func(*run, args) error{
		"deploy": (*run).deploy, "delete": (*run).deleteResource, "decide": (*run).decide,
		"create": (*run).create, "result": (*run).result, "join": (*run).join, "watch": (*run).watch,
		"cancel": (*run).cancel, "setvars": (*run).setVariables, "modify": (*run).modify, "migrate": (*run).migrate, "resolve": (*run).resolve,
		"jobs": (*run).takeJobs, "work": (*run).work, "chain": (*run).chain, "nojob": (*run).noJob, "complete": (*run).complete,
		"fail": (*run).fail, "throw": (*run).throw, "retries": (*run).retries, "timeout": (*run).timeout,
		"publish": (*run).publish, "burst": (*run).burst, "signal": (*run).signal, "sleep": (*run).sleep, "await": (*run).await,
	}
}

// sleep lets time pass.
func (r *run) sleep(a args) error {
	pause(r.ctx, a.dur("", time.Second))
	return nil
}

// await waits for an event: "element [VALUE_TYPE] [INTENT] [xN]".
func (r *run) await(a args) error {
	words := strings.Fields(a.str(""))
	kind, intent, n := "PROCESS_INSTANCE", "ELEMENT_ACTIVATED", 1
	for i, x := range words[1:] {
		if c, err := strconv.Atoi(strings.TrimPrefix(x, "x")); err == nil {
			n = c
		} else if i+2 < len(words) && !strings.HasPrefix(words[i+2], "x") {
			kind = x
		} else {
			intent = x
		}
	}
	element := strings.ReplaceAll(words[0], "main", r.id)
	_, err := r.awaitEvents(n, func(e *record) bool {
		v := &e.Value
		return e.ValueType == kind && e.Intent == intent && (element == "*" || slices.Contains([]string{v.ElementID, v.TargetElementID, v.CatchEventID}, element))
	})
	return err
}

// awaitEvents waits until there are n events that match.
func (r *run) awaitEvents(n int, match func(*record) bool) (found []*record, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, 30*time.Second)
	defer cancel()
	ok := r.store.wait(ctx, r.id, func(all []*record) bool {
		found = found[:0]
		for _, e := range all {
			if match(e) {
				found = append(found, e)
			}
		}
		return len(found) >= n
	})
	if !ok {
		err = fmt.Errorf("%d of %d expected records within 30 s", len(found), n)
	}
	return found, err
}

// ref resolves a name: unknown, a key that a step has kept, or @element, its
// newest instance (@element#2: the second).
func (r *run) ref(name string) (int64, error) {
	if name == "unknown" {
		return 1<<51 + 1<<50, nil
	}
	if element, ok := strings.CutPrefix(name, "@"); ok {
		return r.elementRef(element)
	}
	if k, ok := r.refs[name]; ok {
		return k, nil
	}
	if k, err := strconv.ParseInt(name, 10, 64); err == nil {
		return k, nil
	}
	return 0, fmt.Errorf("nothing is called %q", name)
}

func (r *run) elementRef(name string) (int64, error) {
	element, nth, numbered := strings.Cut(name, "#")
	n := 0
	if numbered {
		var err error
		if n, err = strconv.Atoi(nth); err != nil {
			return 0, err
		}
	}
	if element == "main" {
		element = r.id
	}
	found, err := r.awaitEvents(max(n, 1), func(e *record) bool {
		return e.ValueType == "PROCESS_INSTANCE" && e.Intent == "ELEMENT_ACTIVATING" && e.Value.ElementID == element
	})
	switch {
	case err != nil:
		return 0, err
	case n > 0:
		return found[n-1].Key, nil
	}
	return found[len(found)-1].Key, nil
}
