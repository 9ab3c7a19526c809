package bpmn

import (
	"fmt"
	"sort"
	"strings"
)

// Invalid says why a resource is refused. Its text is the resource's block in
// the answer to a deployment, in the original's layout: it starts with the
// quoted resource name, and where elements are at fault it ends with a line feed.
type Invalid struct{ text string }

// Error gives the block of the resource.
func (e *Invalid) Error() string { return e.text }

// invalid is a refusal that no element is named for.
func invalid(resource, reason string) *Invalid {
	return &Invalid{"'" + resource + "': " + cut(reason)}
}

// maxReport bounds the text of a refusal, in bytes (the original's limit).
const maxReport = 12 * 1024

// finding is what is wrong with an element.
type finding struct {
	at   *node
	text string
}

// maxFindings bounds what is kept of them; more do not fit into a report.
const maxFindings = 1000

// findings collects what a stage of the checks finds.
type findings struct {
	list []finding
	more int // found but not kept
}

func (f *findings) add(at *node, format string, args ...any) {
	if len(f.list) == maxFindings {
		f.more++
		return
	}
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	f.list = append(f.list, finding{at, cut(format)})
}

// report gives the refusal, nil if nothing was found. Elements stand in
// document order (the original's order is random), what is wrong with one of
// them in the order found.
func (f *findings) report(resource string) error {
	if len(f.list) == 0 {
		return nil
	}
	l := f.list
	sort.SliceStable(l, func(i, j int) bool { return l[i].at.order < l[j].at.order })
	var b strings.Builder
	fmt.Fprintf(&b, "'%s': ", resource)
	head := b.Len()
	for i := 0; i < len(l); {
		n := 1
		for i+n < len(l) && l[i+n].at == l[i].at {
			n++
		}
		part := block(l[i : i+n])
		if b.Len()+len(part) > maxReport && b.Len() > head {
			fmt.Fprintf(&b, "and %d more errors and 0 more warnings\n", len(l)-i+f.more)
			break
		}
		b.WriteString(part)
		i += n
	}
	return &Invalid{b.String()}
}

func block(l []finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- Element: %s\n", cut(l[0].at.path()))
	for i, f := range l {
		if b.Len() > maxReport {
			fmt.Fprintf(&b, "    and %d more errors\n", len(l)-i)
			break
		}
		fmt.Fprintf(&b, "    - ERROR: %s\n", f.text)
	}
	return b.String()
}

// cut keeps a text that quotes the model from filling the report.
func cut(t string) string {
	const most = maxReport / 3
	if len(t) <= most {
		return t
	}
	return strings.ToValidUTF8(t[:most], "") + "…"
}
