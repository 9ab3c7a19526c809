package history

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Report is what a check has found.
type Report struct {
	Objects, Calls int
	Locks          int
	Undecided      int // objects that took too long
	// Wrong says what is wrong, Pictures where porcupine shows it.
	Wrong    []string
	Pictures []string
}

// patience is how long one object may take. They have a few dozen calls each.
const patience = 20 * time.Second

// maxPictures bounds how many are drawn: a broken cluster breaks thousands.
const maxPictures = 5

// Check judges all that was recorded. Pictures are written into dir. Nothing is
// recorded meanwhile.
func (r *Recorder) Check(dir string) (rep Report, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep.Wrong = slices.Clone(r.wrong)
	for _, name := range r.names() {
		o := r.objects[name]
		rep.Objects, rep.Calls = rep.Objects+1, rep.Calls+len(o.ops)
		switch porcupine.CheckOperationsTimeout(*o.model, o.ops, patience) {
		case porcupine.Ok:
			continue
		case porcupine.Unknown:
			rep.Undecided++
			continue
		}
		rep.Wrong = append(rep.Wrong, fmt.Sprintf("%s: no order of these calls explains the answers:\n%s", name, o.tell()))
		if len(rep.Pictures) < maxPictures {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".html")
			if err := o.draw(path); err != nil {
				return rep, err
			}
			rep.Pictures = append(rep.Pictures, path)
		}
	}
	for _, held := range r.locks.held {
		rep.Locks += len(held)
	}
	rep.Wrong = append(rep.Wrong, r.locks.check()...)
	for _, v := range r.versions {
		rep.Wrong = append(rep.Wrong, v.check()...)
	}
	return rep, nil
}

// draw writes porcupine's picture of an object's history.
func (o *object) draw(path string) error {
	_, info := porcupine.CheckOperationsVerbose(*o.model, o.ops, patience)
	if err := porcupine.VisualizePath(*o.model, info, path); err != nil {
		return fmt.Errorf("draw a history: %w", err)
	}
	return nil
}

// tell lists an object's calls in the order in which they began.
func (o *object) tell() string {
	ops := slices.Clone(o.ops)
	slices.SortStableFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	at := func(t int64) string {
		if t == never {
			return "never"
		}
		return time.Duration(t).Round(time.Millisecond).String()
	}
	for _, op := range ops {
		fmt.Fprintf(&b, "    %12s to %-12s client %-3d %s\n", at(op.Call), at(op.Return), op.ClientId, o.model.DescribeOperation(op.Input, op.Output))
	}
	return b.String()
}
