package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

func (a *app) deploymentsCommand() *cobra.Command {
	return listCommand(a, listOf[[]grevy.DeploymentStatus]{
		use: "deployments", short: "List deployments, newest first, and which partitions have them", path: "deployments", limit: 20, args: arguments(),
		example: "  grevy deployments\n  grevy deployments --limit 100 -o json\n  grevy deployments --watch", print: a.printDeployments,
	})
}

func (a *app) printDeployments(found *[]grevy.DeploymentStatus) error {
	list := *found
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.out, "no deployments")
		return err
	}
	t := newTable("key", "deployed", "partitions", "state", "resources")
	for i := range list {
		d := &list[i]
		var resources []string
		for _, def := range d.Definitions {
			resources = append(resources, definitionText(&def))
		}
		t.row(d.Key, clock(d.Time), bar(d), d.State, strings.Join(resources, ", "))
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	for i := range list {
		if _, err := fmt.Fprint(a.out, why(&list[i])); err != nil {
			return err
		}
	}
	return nil
}

// definitionText names a definition; of a process its kind goes without saying.
func definitionText(d *grevy.DefinitionInfo) string {
	if d.Kind == "process" {
		return fmt.Sprintf("%s v%d", d.ID, d.Version)
	}
	return fmt.Sprintf("%s %s v%d", d.Kind, d.ID, d.Version)
}

// bar has a sign for each partition in order: ▮ has it, ▯ waits for it, ✗
// refused it.
func bar(d *grevy.DeploymentStatus) string {
	signs := map[int]string{}
	for _, p := range d.Partitions {
		signs[p] = "▮"
	}
	for _, p := range d.Pending {
		signs[p.Partition] = "▯"
	}
	for _, p := range d.Refused {
		signs[p.Partition] = "✗"
	}
	var order []int
	for p := range signs {
		order = append(order, p)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, p := range order {
		b.WriteString(signs[p])
	}
	return fmt.Sprintf("%s %d/%d", b.String(), len(d.Partitions), len(signs))
}

// why tells what keeps a deployment from being everywhere.
func why(d *grevy.DeploymentStatus) string {
	var b strings.Builder
	for _, p := range d.Pending {
		fmt.Fprintf(&b, "%s waits for partition %d since %s, %s", d.Key, p.Partition, clock(p.Since), count(p.Attempts, "attempt"))
		if p.Error != "" {
			fmt.Fprintf(&b, ": %s", p.Error)
		}
		b.WriteByte('\n')
	}
	for _, p := range d.Refused {
		fmt.Fprintf(&b, "%s was refused by partition %d: %s\n", d.Key, p.Partition, p.Reason)
	}
	return b.String()
}
