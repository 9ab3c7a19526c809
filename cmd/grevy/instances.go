package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

func (a *app) instancesCommand() *cobra.Command {
	return listCommand(a, listOf[grevy.Instances]{
		use: "instances [PROCESS]", short: "List active instances, and where they stand: oldest first", path: "instances", limit: 100, args: atMostOne,
		example: "  grevy instances\n  grevy instances order --limit 1000 -o json",
		listed:  func(found *grevy.Instances) grevy.Listed { return found.Listed }, print: a.printInstances,
	})
}

func (a *app) printInstances(found *grevy.Instances) error {
	if len(found.Instances) == 0 {
		_, err := fmt.Fprintln(a.out, "no active instances")
		return err
	}
	t := newTable("instance", "process", "state", "since", " incidents", "stands at")
	for i := range found.Instances {
		in := &found.Instances[i]
		incidents := "–"
		if in.Incidents > 0 {
			incidents = grouped(in.Incidents)
		}
		t.row(in.Key, processText(in.ProcessID, in.Version), stateWord(in.State), clock(in.Since), incidents, orNone(oneLine(strings.Join(in.At, ", "), 100)))
	}
	return t.print(a.out)
}

// stateWord is a state as people say it.
func stateWord(state string) string {
	if state == "ACTIVATED" {
		return "active"
	}
	return strings.ToLower(state)
}

func (a *app) instanceCommand() *cobra.Command {
	var addresses []string
	var full bool
	cmd := &cobra.Command{
		Use: "instance KEY", Short: "Show what is active in an instance, and what it waits for", Args: arguments("KEY"),
		Long: "Show all that is active in an instance, and what each part of it waits for.\n" +
			"KEY is that of the instance, or of an element instance, a job or an incident\n" +
			"in it.",
		Example: "  grevy instance 4503599627370500\n  grevy instance 4503599627370500 --full -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey("KEY", args[0])
			if err != nil {
				return err
			}
			value := 80
			if full {
				value = 64 << 10
			}
			var tree grevy.InstanceTree
			if _, _, err := fetch(cmd.Context(), addresses, fmt.Sprintf("/api/instances/%d?value=%d", key, value), &tree); err != nil {
				return err
			}
			if a.json() {
				return a.document(tree)
			}
			return a.printInstance(&tree)
		},
	}
	httpFlag(cmd, &addresses)
	cmd.Flags().BoolVar(&full, "full", false, "show variables up to 64 kB each, not only their beginning")
	return cmd
}

func (a *app) printInstance(t *grevy.InstanceTree) error {
	fmt.Fprintf(a.out, "instance %s · %s · partition %d · %s · since %s\n", t.Key, processText(t.ProcessID, t.Version), t.Partition, stateWord(t.State), clock(t.Since))
	if t.CallerKey != "" {
		fmt.Fprintf(a.out, "called by element instance %s (grevy instance %s)\n", t.CallerKey, t.CallerKey)
	}
	_, err := io.WriteString(a.out, "\n"+elementText(&t.Root, ""))
	return err
}

// elementText is an element instance with what it waits for, has, and holds.
func elementText(e *grevy.ElementInfo, indent string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, indent+"  "+format+"\n", args...) }
	fmt.Fprintf(&b, "%s%s  %s  %s\n", indent, e.ElementID, e.Key, stateWord(e.State))
	for _, w := range e.WaitsFor {
		if w = oneLine(w, 300); !strings.HasPrefix(w, "or ") {
			w = "waits for " + w
		}
		line("%s", w)
	}
	for i := range e.Variables {
		line("%s", variableText(&e.Variables[i]))
	}
	if e.MoreVariables > 0 {
		line("… and %s", count(int(e.MoreVariables), "more variable"))
	}
	for i := range e.Inside {
		b.WriteString(elementText(&e.Inside[i], indent+"  "))
	}
	if e.MoreInside > 0 {
		line("… and %s more inside", grouped(e.MoreInside))
	}
	return b.String()
}

func variableText(v *grevy.VariableInfo) string {
	if v.Value != nil {
		return v.Name + " = " + string(v.Value)
	}
	return fmt.Sprintf("%s = %s… (%s bytes)", v.Name, oneLine(v.Begin, len(v.Begin)+1), grouped(v.Bytes))
}
