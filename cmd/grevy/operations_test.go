package main

import (
	"fmt"
	"os"
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
