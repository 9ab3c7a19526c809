package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// helpGroups are the commands as --help lists them. What stands in none of them
// is listed last.
var helpGroups = []struct {
	title    string
	commands []string
}{
	{"Run it:", []string{"start", "demo", "bench", "version"}},
	{"Deploy processes and run them:", []string{"deploy", "create", "jobs", "publish", "signal", "decide", "set", "cancel", "delete"}},
	{"See what is, and what is stuck:", []string{"status", "deployments", "instances", "instance", "incidents", "messages"}},
	{"Mend what is stuck:", []string{"resolve", "modify", "migrate"}},
	{"Change the cluster, keep its data:", []string{"cluster", "backup", "restore"}},
}

const firstSteps = `  grevy start                           a node, on this machine
  grevy deploy order.bpmn
  grevy create order --variables '{"total": 31}'
  grevy jobs activate pay
  grevy jobs complete 4503599627370505   the key that the line before has printed
  grevy status`

// helpWidth is how many columns --help takes.
const helpWidth = 80

// arrange groups the commands of the program, and keeps the help within a width.
func arrange(root *cobra.Command) {
	for _, g := range helpGroups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
	}
	for _, c := range root.Commands() {
		for _, g := range helpGroups {
			if slices.Contains(g.commands, c.Name()) {
				c.GroupID = g.title
			}
		}
	}
	root.SetHelpCommandGroupID(helpGroups[0].title)
	root.SetCompletionCommandGroupID(helpGroups[0].title)
	root.Example = firstSteps
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", helpWidth)))
}

// subcommands is the rule for the arguments of a command that only holds others:
// none, since what is not found among those comes here.
func subcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("no command %q", args[0])
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s (see %s --help)", text, cmd.CommandPath())
}
