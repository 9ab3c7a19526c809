package main

import (
	"strings"
	"testing"
	"unicode/utf8"

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

// A command that is not there is named with those it may have meant.
func TestHelp_ASlipIsNamed(t *testing.T) {
	for args, want := range map[string]string{
		"creat":         `grevy: no command "creat"; create? (see grevy --help)`,
		"jobs complet":  `grevy: no command "complet"; complete? (see grevy jobs --help)`,
		"cluster statu": `grevy: no command "statu"; status? (see grevy cluster --help)`,
		"xyzzy":         `grevy: no command "xyzzy" (see grevy --help)`,
	} {
		if r := grevyRun(t, strings.Fields(args)...); r.code != exitError || r.err != want+"\n" {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// Help fits into 80 columns. Only examples may be longer: they are to be copied.
func TestHelp_FitsIntoEightyColumns(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		for _, line := range strings.Split(grevyRun(t, args...).ok(t).out, "\n") {
			if utf8.RuneCountInString(line) > helpWidth && !strings.Contains(c.Example, line) {
				t.Errorf("%s: %s", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root(nil))
}

// Each group has commands, and each command a group.
func TestHelp_CommandsAreGrouped(t *testing.T) {
	for _, c := range (&app{}).root(nil).Commands() {
		if c.GroupID == "" {
			t.Errorf("%s is in no group", c.Name())
		}
	}
}
