package enginetest

import (
	"strings"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// migrate instance=I to=DEFINITION [SOURCE->TARGET …]: I is a key or an
// element's id, DEFINITION a key or a process's id.
func init() { verbs["migrate"] = migrate }

func migrate(t *transcript, c *call) error {
	instance, err := t.find(c, "instance", state.TableElement)
	if err != nil {
		return err
	}
	target, err := t.find(c, "to", state.TableDefinition)
	if err != nil {
		return err
	}
	cmd := &protocol.MigrateInstance{InstanceKey: instance, TargetKey: target}
	for _, w := range c.words {
		source, target, _ := strings.Cut(w, "->")
		cmd.Mappings = append(cmd.Mappings, protocol.ElementMapping{SourceID: source, TargetID: target})
	}
	return t.execute(c, cmd)
}
