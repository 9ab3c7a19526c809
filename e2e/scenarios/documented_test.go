package scenarios

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are records that no scenario leads to, and what does.
var elsewhere = map[recordKind]string{
	{"JOB", "EVENT", "YIELDED"}:                           "a client that goes away before its jobs come",
	{"FORM", "EVENT", "DELETED"}:                          "the deletion of a form",
	{"TIMER", "EVENT", "MIGRATED"}:                        "an instance that migrates and waits for a timer",
	{"PROCESS_MESSAGE_SUBSCRIPTION", "EVENT", "MIGRATED"}: "an instance that migrates and waits for a message",
	{"USER_TASK", "EVENT", "MIGRATED"}:                    "an instance that migrates and has a user task",
}

var documentRow = regexp.MustCompile(`(?m)^\| ([A-Z_, ]+) \| ([A-Z_, ]*) \| ([A-Z_, ]*) \|$`)

// documented compares the records that there were with the table of
// docs/records.md: each kind stands there, and if all scenarios were played,
// there was each that stands there.
func documented(t *testing.T, stores []*store, all bool) {
	doc, err := os.ReadFile("../../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[recordKind]bool{}
	for _, row := range documentRow.FindAllStringSubmatch(string(doc), -1) {
		for i, recordType := range []string{"EVENT", "COMMAND"} {
			for _, valueType := range strings.Split(row[1], ", ") {
				for _, intent := range strings.Split(row[2+i], ", ") {
					if intent != "" {
						said[recordKind{valueType, recordType, intent}] = true
					}
				}
			}
		}
	}
	seen := map[recordKind]bool{}
	for _, s := range stores {
		for k := range s.kinds {
			if seen[k] = true; !said[k] {
				t.Errorf("docs/records.md does not have %s %s %s", k.valueType, k.recordType, k.intent)
			}
		}
	}
	for k := range said {
		switch why := elsewhere[k]; {
		case all && !seen[k] && why == "":
			t.Errorf("docs/records.md has %s %s %s, which no scenario leads to", k.valueType, k.recordType, k.intent)
		case seen[k] && why != "":
			t.Errorf("there was %s %s %s: take it off the list", k.valueType, k.recordType, k.intent)
		}
	}
}
