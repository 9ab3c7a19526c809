package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// golden is what has happened in a scenario.
type golden struct {
	Transcript []string
	Trace      []instanceTrace `yaml:",omitempty"`
}

// instanceTrace is what one process instance did. What belongs to none stands
// under "definitions".
type instanceTrace struct {
	Process  string
	Flow     []string `yaml:",omitempty"` // events of elements
	Entities []string `yaml:",omitempty"` // events of each job, variable, incident, timer and subscription
}

// textMark stands before a text that was meant for people.
const textMark = " ## "

// golden is what has happened so far.
func (r *run) golden() *golden {
	return &golden{r.lines, r.store.trace(r.id, r.scenario.Order == "element", r.scenario.Large, r.norm)}
}

// text puts into order what has none, so that lines can be compared.
func (g *golden) text() (out []string) {
	for _, l := range g.Transcript {
		out = append(out, sortErrors(l))
	}
	var instances []string
	for _, t := range g.Trace {
		lines := []string{"--- " + t.Process}
		for _, l := range t.Flow {
			lines = append(lines, sortErrors(l))
		}
		entities := slices.Sorted(slices.Values(t.Entities))
		for _, l := range entities {
			lines = append(lines, "  "+sortErrors(l))
		}
		instances = append(instances, strings.Join(lines, "\n"))
	}
	slices.Sort(instances)
	for _, i := range instances {
		out = append(out, strings.Split(i, "\n")...)
	}
	return out
}

// sortErrors puts the lines of a refusal in order: the original finds the errors
// of a model in any.
func sortErrors(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "': - ", "':\n- "), "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

// difference lists the lines that only one side has, in order.
func difference(want, got []string) string {
	n, m := len(want), len(got)
	common := make([][]int, n+1) // the longest common subsequence of what follows
	for i := range common {
		common[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var b strings.Builder
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && want[i] == got[j]:
			i, j = i+1, j+1
		case i < n && (j == m || common[i+1][j] >= common[i][j+1]):
			fmt.Fprintf(&b, "    - %s\n", want[i])
			i++
		default:
			fmt.Fprintf(&b, "    + %s\n", got[j])
			j++
		}
	}
	return b.String()
}
