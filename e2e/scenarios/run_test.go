package scenarios

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A run is one scenario while it is played.
type run struct {
	*suite
	ctx       context.Context
	scenario  *scenario
	id        string   // in all names of this run
	lines     []string // the transcript
	refs      map[string]int64
	instances []string // those whose end is looked at
	keyNames  map[int64]string
	results   map[string]chan []string
	stamps    []string // moments that ${now+D} gave
}

// steps does what the scenario says, up to a step that cannot be done.
func (r *run) steps() {
	for n, step := range r.scenario.Steps {
		for verb, v := range step {
			a, ok := v.(map[string]any)
			if !ok {
				a = map[string]any{"": v}
			}
			if err := verbs[verb](r, a); err != nil {
				r.say("step %d (%s) failed: %v", n+1, verb, r.norm(err.Error()))
				return
			}
		}
	}
}

// ends waits until each instance has ended, or seems to stay.
func (r *run) ends() {
	for _, name := range r.instances {
		want, key := r.scenario.end(name), r.refs[name]
		limit := 30 * time.Second
		if want != "finished" {
			limit = 300 * time.Millisecond
		}
		state, end := "active", time.Now().Add(limit)
		for state == "active" && time.Now().Before(end) {
			if r.ended(key) {
				state = "finished"
			} else if !pause(r.ctx, 30*time.Millisecond) {
				break
			}
		}
		r.say("end of %s: %s", name, state)
		if state != want {
			r.say("(the scenario expects %s)", want)
		}
	}
}

// ended tells whether the instance is gone, by a write that changes nothing.
func (r *run) ended(key int64) bool {
	_, err := r.gw.SetVariables(r.ctx, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: "{}"})
	return status.Code(err) == codes.NotFound
}

func (r *run) say(format string, a ...any) { r.lines = append(r.lines, fmt.Sprintf(format, a...)) }

// outcome says what a command without an answer of its own has given.
func (r *run) outcome(what string, err error) {
	if err == nil {
		r.say("%s: ok", r.norm(what))
		return
	}
	s := status.Convert(err)
	r.say("%s: %s%s%s", r.norm(what), s.Code(), textMark, r.text(s.Message()))
}

// norm takes out what differs from run to run.
func (r *run) norm(s string) string {
	for _, t := range r.stamps {
		s = strings.ReplaceAll(s, t, "TIME")
	}
	return strings.ReplaceAll(s, r.id, "ID")
}

// key names a key in the order of first use.
func (r *run) key(key int64) string {
	if key <= 0 {
		return fmt.Sprint(key)
	}
	if r.keyNames[key] == "" {
		r.keyNames[key] = fmt.Sprintf("key#%d", len(r.keyNames)+1)
	}
	return r.keyNames[key]
}

var (
	bigKey  = regexp.MustCompile(`\b\d{16,19}\b`)
	address = regexp.MustCompile(`command-api-\d+ to \d+\.\d+\.\d+\.\d+:\d+`) // of a partition's leader
)

// text makes a message of the broker comparable.
func (r *run) text(s string) string {
	s = bigKey.ReplaceAllStringFunc(s, func(digits string) string {
		if k, err := strconv.ParseInt(digits, 10, 64); err == nil && r.keyNames[k] != "" {
			return r.keyNames[k]
		}
		return "key"
	})
	return r.norm(short(strings.TrimSpace(address.ReplaceAllString(s, "command-api-1 to HOST"))))
}

// short keeps a hash of what is long.
func short(s string) string {
	if len(s) <= 2000 {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes, sha256 %x)", s[:80], len(s), sha256.Sum256([]byte(s)))
}

// canonical orders the names of a JSON text and writes whole numbers alike.
func canonical(s string) string {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return short(s)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(wholeNumbers(v)); err != nil {
		return err.Error()
	}
	return short(strings.TrimSpace(b.String()))
}

func wholeNumbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = wholeNumbers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = wholeNumbers(x[i])
		}
	case json.Number:
		if f, err := x.Float64(); err == nil && f < 1<<53 && f > -(1<<53) && f == float64(int64(f)) {
			return int64(f)
		}
	}
	return v
}
