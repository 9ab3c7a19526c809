package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Each command has examples, and they are commands that exist, with flags that
// they take.
func TestHelp_ExamplesAreCommands(t *testing.T) {
	a := &app{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && c.HasParent() {
			examples(t, c)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.root(nil))
}

func examples(t *testing.T, c *cobra.Command) {
	t.Helper()
	if c.Example == "" {
		t.Errorf("%s has no example", c.CommandPath())
		return
	}
	for _, line := range strings.Split(c.Example, "\n") {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "   ") // what follows is a remark
		words := shellWords(line)
		if len(words) == 0 || words[0] != "grevy" {
			t.Errorf("%s: %q", c.CommandPath(), line)
			continue
		}
		found, rest, err := (&app{}).root(nil).Find(words[1:])
		if err != nil {
			t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
			continue
		}
		if err := found.ParseFlags(rest); err != nil {
			t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
		} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
			t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
		}
	}
}

// shellWords splits at spaces that are not between quotes.
func shellWords(s string) (words []string) {
	quoted := false
	for _, part := range strings.FieldsFunc(s, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	}) {
		words = append(words, strings.Trim(part, "'"))
	}
	return words
}

func TestHelp_CompletionForShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := grevyRun(t, "completion", shell).ok(t); !strings.Contains(r.out, "grevy") {
			t.Errorf("%s: %q", shell, r.out)
		}
	}
	r := grevyRun(t, "__complete", "jobs", "t")
	if r.code != exitOK || !strings.HasPrefix(r.out, "throw\t") || !strings.Contains(r.out, "\ntimeout\t") {
		t.Errorf("%+v", r)
	}
	if r := grevyRun(t, "--help").ok(t); !strings.Contains(r.out, "completion ") {
		t.Errorf("completion is not in the list of commands:\n%s", r.out)
	}
}
