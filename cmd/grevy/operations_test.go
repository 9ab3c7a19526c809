package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// docs/operations.md has a row for each setting, with its variable, default and
// the words of --help. GREVY_UPDATE=1 prints the rows.
func TestOperations_TheTableOfSettings(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	f := pflag.NewFlagSet("start", pflag.ContinueOnError)
	f.SortFlags = false
	new(startFlags).register(f)
	f.VisitAll(func(f *pflag.Flag) {
		def := f.DefValue
		if def == "[]" {
			def = ""
		}
		if def != "" {
			def = "`" + def + "`"
		}
		rows = append(rows, fmt.Sprintf("| `--%s` | `%s` | %s | %s |", f.Name, envName(f.Name), def, f.Usage))
	})
	if os.Getenv("GREVY_UPDATE") != "" {
		fmt.Println(strings.Join(rows, "\n"))
	}
	if want := strings.Join(rows, "\n"); !strings.Contains(string(b), "|---|---|---|---|\n"+want+"\n\n") {
		t.Errorf("docs/operations.md lacks the table\n%s", want)
	}
}

// The commands about backups in docs/operations.md are run in its order, with a
// directory in the place of each store, and a node in the place of each address.
func TestOperations_TheCommandsOfBackups(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## Backup and restore\n")
	text, _, _ = strings.Cut(text, "\n## ")
	at, dest, last, ran := newBackupNode(3).serve(t)[1], t.TempDir(), "", 0
	t.Setenv("GREVY_ADDRESS", at)
	for _, m := range regexp.MustCompile(`(?m)^(?:    |    [\d* ]+ grevy  |ExecStart=/usr/local/bin/)grevy ((?:backup|restore) .*)$`).FindAllStringSubmatch(text, -1) {
		args := shellWords(m[1])
		for i, a := range args {
			switch {
			case a == "/var/backups/grevy" || strings.HasPrefix(a, "s3://"):
				args[i] = dest
			case i > 0 && args[i-1] == "--address":
				args[i] = at
			case a == "20261129T142509Z-1f2e3d4c":
				args[i] = last
			}
		}
		r := grevyRun(t, args...).ok(t)
		if found := regexp.MustCompile(`^backup (\S+): 3 partitions`).FindStringSubmatch(r.out); found != nil {
			last = found[1]
		}
		ran++
	}
	if ran != 9 {
		t.Errorf("%d commands", ran)
	}
}
