package answers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// suite is what all cases share.
type suite struct {
	conn       *grpc.ClientConn
	partitions int64
	nonce      string
	fixtures   map[string][]step
}

// A run is one execution of one case: its variables and the text of its
// requests.
type run struct {
	*suite
	ctx  context.Context
	vars map[string]string
	sent strings.Builder // numbers in it are not normalised
}

// answer is the raw outcome of a call.
type answer struct {
	code     string
	message  string
	response any // nil unless OK
	method   string
	corrKey  string
}

func (s *suite) run(ctx context.Context, c *testCase) (expectation, error) {
	r := &run{suite: s, ctx: ctx, vars: map[string]string{
		"id":  fmt.Sprintf("c%s%04d", s.nonce, c.number),
		"num": fmt.Sprint(1_000_000_000 + (time.Now().UnixMilli()*2000+int64(c.number))%1_000_000_000),
	}}
	if err := r.steps(c.Setup); err != nil {
		return expectation{}, fmt.Errorf("setup: %w", err)
	}
	a, err := r.do(&c.step)
	if err != nil {
		return expectation{}, err
	}
	e, err := r.normal(a)
	if err == nil && c.Mask != "" {
		var re *regexp.Regexp
		if re, err = regexp.Compile(c.Mask); err == nil {
			e.Message = re.ReplaceAllString(e.Message, "<masked>")
		}
	}
	return e, err
}

// pause waits for a time that a case asks for.
func (r *run) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.ctx.Done():
	}
}

// again repeats try until it is content, for a while.
func (r *run) again(every, patience time.Duration, try func() (content bool, err error)) error {
	for end := time.Now().Add(patience); ; r.pause(every) {
		content, err := try()
		if content || err != nil || time.Now().After(end) || r.ctx.Err() != nil {
			return err
		}
	}
}

func (r *run) steps(list []step) error {
	for i := range list {
		s := &list[i]
		if s.Use != "" {
			f, ok := r.fixtures[s.Use]
			if !ok {
				return fmt.Errorf("no fixture %q", s.Use)
			}
			if err := r.steps(f); err != nil {
				return fmt.Errorf("%s: %w", s.Use, err)
			}
			continue
		}
		if err := r.step(s); err != nil {
			return err
		}
	}
	return nil
}

// step makes a call until it gives what it is to save, on the partition wanted.
func (r *run) step(s *step) error {
	want := s.Code
	if want == "" {
		want = "OK"
	}
	var a *answer
	err := r.again(50*time.Millisecond, 5*time.Second, func() (bool, error) {
		var err error
		a, err = r.do(s)
		return err == nil && (a.code != "OK" || r.save(s, a) == nil && r.onPartition(s)), err
	})
	if err != nil {
		return err
	}
	if a.code != want {
		return fmt.Errorf("%s: %s %s, want %s", a.method, a.code, a.message, want)
	}
	return r.save(s, a)
}

func (r *run) save(s *step, a *answer) error {
	for name, path := range s.Save {
		v, ok := dig(a.response, path)
		if !ok {
			return fmt.Errorf("%s: no %s in %v", a.method, path, a.response)
		}
		r.vars[name] = v
	}
	return nil
}

func (r *run) onPartition(s *step) bool {
	for name := range s.Save {
		if k, err := strconv.ParseInt(r.vars[name], 10, 64); err == nil && s.Partition > 0 && k>>51 != s.Partition {
			return false
		}
	}
	return true
}

func dig(v any, path string) (string, bool) {
	for _, k := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i >= len(x) {
				return "", false
			}
			v = x[i]
		}
	}
	s, ok := v.(string)
	return s, ok
}

var macro = regexp.MustCompile(`\$\{(\w+)(?::([^:}]*))?(?::(\d+))?\}`)

// expand replaces ${name}, ${rep:TEXT:N}, ${key:PARTITION:N}.
func (r *run) expand(s string) (string, error) {
	var err error
	out := macro.ReplaceAllStringFunc(s, func(m string) string {
		p := macro.FindStringSubmatch(m)
		n, _ := strconv.ParseInt(p[3], 10, 64) // empty: 0
		switch v, ok := r.vars[p[1]]; {
		case ok:
			return v
		case p[1] == "rep":
			return strings.Repeat(p[2], int(n))
		case p[1] == "key":
			part, e := strconv.ParseInt(p[2], 10, 64)
			if e == nil {
				return fmt.Sprint(part<<51 + n)
			}
		}
		err = fmt.Errorf("unknown variable in %s", m)
		return m
	})
	return out, err
}

func (r *run) expandAll(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case string:
		return r.expand(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			if out[i], err = r.expandAll(x[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := map[string]any{}
		for k := range x {
			if out[k], err = r.expandAll(x[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func (r *run) do(s *step) (*answer, error) {
	if s.Wait != "" {
		d, err := time.ParseDuration(s.Wait)
		if err != nil {
			return nil, err
		}
		r.pause(d)
	}
	switch {
	case s.Call == "" && s.Deploy == nil:
		return &answer{code: "OK"}, nil
	case s.Scan > 0:
		return r.scan(s)
	}
	return r.call(s)
}

// scan tries the keys after ${after} until one is answered otherwise than an
// unknown key is.
func (r *run) scan(s *step) (*answer, error) {
	after, err := strconv.ParseInt(r.vars["after"], 10, 64)
	if err != nil {
		return nil, errors.New("scan: no variable after")
	}
	try := func(k int64) (*answer, string, error) {
		r.vars["k"] = fmt.Sprint(after + k)
		a, err := r.call(s)
		if err != nil {
			return nil, "", err
		}
		return a, a.code + strings.ReplaceAll(a.message, r.vars["k"], ""), nil
	}
	a, unknown, err := try(1 << 40)
	for k := int64(1); err == nil && k <= int64(s.Scan); k++ {
		var got string
		if a, got, err = try(k); got != unknown {
			return a, err
		}
	}
	return a, err
}
