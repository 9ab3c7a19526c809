package enginetest

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// delete key=K | delete ID [kind=KIND] [version=N]: takes back what was deployed,
// of an id the newest version if none is named.
func init() { verbs["delete"] = deleteResource }

func deleteResource(t *transcript, c *call) error {
	var cmd protocol.DeleteResource
	if s := c.text("key"); s != "" {
		cmd.ResourceKey, _ = parseKey(s)
		return t.execute(c, &cmd)
	}
	version, err := c.number("version", -1)
	if err != nil {
		return err
	}
	contents, err := c.part.Contents()
	if err != nil {
		return err
	}
	for _, key := range contents.Order[state.TableDefinition] {
		d := contents.Definitions[key]
		if d.ID == c.word(0) && d.Kind == kindOf(c.text("kind")) && (version < 0 && !d.Deleted || int64(d.Version) == version) {
			cmd.ResourceKey = key
		}
	}
	if cmd.ResourceKey == 0 {
		return fmt.Errorf("delete: there is no definition %q", c.word(0))
	}
	return t.execute(c, &cmd)
}
