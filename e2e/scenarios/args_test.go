package scenarios

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// args are what a step says; a single value stands under "".
type args map[string]any

func (a args) str(name string) string {
	if v, ok := a[name]; ok && v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

func (a args) or(name, absent string) string {
	if s := a.str(name); s != "" {
		return s
	}
	return absent
}

func (a args) num(name string, absent int) int {
	if v, ok := a[name].(int); ok {
		return v
	}
	return absent
}

func (a args) dur(name string, absent time.Duration) time.Duration {
	if d, err := time.ParseDuration(a.str(name)); err == nil {
		return d
	}
	return absent
}

func (a args) is(name string) bool {
	v, _ := a[name].(bool) // absent: no
	return v
}

func (a args) list(name string) (out []string) {
	switch v := a[name].(type) {
	case []any:
		for _, x := range v {
			out = append(out, fmt.Sprint(x))
		}
	case nil:
	default:
		out = []string{fmt.Sprint(v)}
	}
	return out
}

func (a args) maps(name string) (out []args) {
	list, _ := a[name].([]any) // absent: none
	for _, x := range list {
		m, _ := x.(map[string]any)
		out = append(out, m)
	}
	return out
}

var macro = regexp.MustCompile(`^\$\{(text|list|vars):(\d+)\}$`)

// expand replaces ${id}, ${text:N}, ${list:N}, ${vars:N} and ${now+D}.
func (r *run) expand(v any) any {
	switch x := v.(type) {
	case string:
		return r.expandText(x)
	case map[string]any:
		o := map[string]any{}
		for k, e := range x {
			o[k] = r.expand(e)
		}
		return o
	case []any:
		o := make([]any, len(x))
		for i := range x {
			o[i] = r.expand(x[i])
		}
		return o
	}
	return v
}

func (r *run) expandText(x string) any {
	if m := macro.FindStringSubmatch(x); m != nil {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return err.Error()
		}
		return many(m[1], n)
	}
	if after, ok := strings.CutPrefix(x, "${now+"); ok {
		d, err := time.ParseDuration(strings.TrimSuffix(after, "}"))
		if err != nil {
			return err.Error()
		}
		stamp := time.Now().Add(d).UTC().Format("2006-01-02T15:04:05Z")
		r.stamps = append(r.stamps, stamp)
		return stamp
	}
	return strings.ReplaceAll(x, "${id}", r.id)
}

// many is a text of n characters, the list 1 … n, or n variables.
func many(what string, n int) any {
	switch what {
	case "text":
		return strings.Repeat("x", n)
	case "list":
		list := make([]any, n)
		for i := range list {
			list[i] = i + 1
		}
		return list
	}
	o := map[string]any{}
	for i := 1; i <= n; i++ {
		o[fmt.Sprint("v", i)] = i
	}
	return o
}

// vars gives variables as JSON; a text stands for itself, also if it is no JSON.
func (r *run) vars(a args, name string) (string, error) {
	if a[name] == nil {
		return "{}", nil
	}
	v := r.expand(a[name])
	if s, ok := v.(string); ok {
		return s, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}
