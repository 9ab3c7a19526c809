package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is what a run comes to.
type report struct {
	begun            time.Time
	steps            int
	kinds            map[kind]int
	skipped, churned int
	times            map[string][]time.Duration // by what has recovered
	slowest          map[string]string          // after which faults
	pictures         []string
}

func (r *report) begin() {
	*r = report{begun: time.Now(), kinds: map[kind]int{}, times: map[string][]time.Duration{}, slowest: map[string]string{}}
}

func (r *report) fault(k kind) { r.kinds[k]++ }

// recovered notes how long something took to be as it was.
func (r *report) recovered(what, after string, d time.Duration) {
	if list := r.times[what]; len(list) == 0 || d > slices.Max(list) {
		r.slowest[what] = after
	}
	r.times[what] = append(r.times[what], d)
}

// failover notes how long a partition took no writes after its leader was gone.
func (r *report) failover(how string, d time.Duration) {
	r.recovered("leader "+how+": first write of its partition", "", d)
}

func (r *report) text(counts map[string]int, w *watch) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps in %s\nfaults:", r.steps, time.Since(r.begun).Round(time.Second))
	for _, k := range kinds {
		if n := r.kinds[k]; n > 0 {
			fmt.Fprintf(&b, " %s %d,", k, n)
		}
	}
	fmt.Fprintf(&b, " leaders restarted in churn %d, left out %d\n", r.churned, r.skipped)
	fmt.Fprintln(&b, "calls: done / denied / refused / unknown")
	whats := map[string]bool{}
	for name := range counts {
		whats[name[:strings.LastIndex(name, " ")]] = true
	}
	for _, what := range slices.Sorted(maps.Keys(whats)) {
		fmt.Fprintf(&b, "  %-18s %7d %7d %7d %7d\n", what, counts[what+" done"], counts[what+" denied"], counts[what+" refused"], counts[what+" unknown"])
	}
	for _, what := range slices.Sorted(maps.Keys(r.times)) {
		list := slices.Sorted(slices.Values(r.times[what]))
		fmt.Fprintf(&b, "%s: %d times, median %s, longest %s %s\n", what, len(list),
			list[len(list)/2].Round(time.Millisecond), list[len(list)-1].Round(time.Millisecond), r.slowest[what])
	}
	fmt.Fprintf(&b, "most memory of a node %.0f MB, most goroutines %.0f\n", w.memory/mb, w.routines)
	return b.String()
}
